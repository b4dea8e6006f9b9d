# Pinned by tag; pin both images by digest where you build it (docker buildx imagetools inspect IMAGE).
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE checks.yaml ./
COPY src src
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-compile --target /app .

# Debian's Python 3.11, as the stage above: compiled parts fit one version only. No shell, no package manager.
FROM gcr.io/distroless/python3-debian12:nonroot
COPY --from=build /app /app
ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532
WORKDIR /home/nonroot
ENTRYPOINT ["/usr/bin/python3", "-m", "postureaudit"]
CMD ["--help"]
