"""The embedded cloud: AWS on 127.0.0.1, from PyPI, for development and tests."""
