"""Apart from errors.py, which imports the views that authentication is imported by."""

from rest_framework.exceptions import APIException


class StoreUnavailable(APIException):
    """PostgreSQL does not answer: the client should ask again."""

    status_code = 503
    default_detail = "This cannot be answered now, for PostgreSQL does not answer. Try again."
    default_code = "unavailable"
    wait = 5  # seconds, for the header Retry-After
