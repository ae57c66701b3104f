"""The portal's own API of projects and keys, /api/v1."""
