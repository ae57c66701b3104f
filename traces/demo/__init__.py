"""Sample traffic: `manage.py demo`. README.md says how it is made."""
