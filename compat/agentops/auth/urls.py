"""Addresses below /auth."""

from django.urls import path

from .password import LoginView, LogoutView, PasswordResetView, SignUpView
from .supabase import CallbackView, CodeView, OAuthView, OtpView, SessionView

urlpatterns = [
    path("login", LoginView.as_view(), name="auth-login"),
    path("logout", LogoutView.as_view(), name="auth-logout"),
    path("signup", SignUpView.as_view(), name="auth-signup"),
    path("password_reset", PasswordResetView.as_view(), name="auth-password-reset"),
    path("otp", OtpView.as_view(), name="auth-otp"),
    path("oauth", OAuthView.as_view(), name="auth-oauth"),
    path("code", CodeView.as_view(), name="auth-code"),
    path("callback", CallbackView.as_view(), name="auth-callback"),
    path("session", SessionView.as_view(), name="auth-session"),
]
