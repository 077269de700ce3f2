"""The program `mangadex-server`: the service behind the Upload API."""
