"""Many accounts: each collected to a file, then judged from it and from what the others say of what it names."""
