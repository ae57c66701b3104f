"""How the endpoints below /auth answer: `{"success", "message"}`, whether it went well or not."""

from typing import Any

from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractView, comes_from_a_known_page, contract_errors
from projects.api.throttles import CredentialThrottle


class StatusError(APIException):
    """Answered as `{"success": false, "message": …}`; 401 unless said, as clients of /auth expect of every failure."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status_code = status


def done(message: str, **more: str) -> Response:
    return Response({"success": True, "message": message, **more})


class AuthView(ContractView):
    """Open to everybody. A page of an unknown origin may not sign anybody in or out; a client that is no browser,
    and so names no origin, may.
    """

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = (CredentialThrottle,)

    def get_exception_handler(self) -> Any:
        return _status_errors

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        names_an_origin = "Origin" in request.headers or "Referer" in request.headers
        if request.method == "POST" and names_an_origin and not comes_from_a_known_page(request):
            raise PermissionDenied("This request comes from a page of an unknown origin: see CORS_ALLOWED_ORIGINS.")
        super().initial(request, *args, **kwargs)


def _status_errors(error: Exception, context: dict[str, Any]) -> Response | None:
    response = contract_errors(error, context)
    if response is not None and isinstance(error, StatusError):
        response.data = {"success": False, "message": str(error.detail)}
    return response
