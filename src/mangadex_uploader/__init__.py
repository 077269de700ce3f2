"""The program `mangadex`: chapters on disk become chapters on the service."""
