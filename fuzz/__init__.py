"""What a stranger can hand us, as fuzz targets: each takes bytes and raises when a promise is broken."""
