"""Addresses below /opsboard. Ids are any text: what is no id is 404, as an unknown one is."""

from django.urls import path

from . import billing, invitations, members, organizations, projects, users

_organization = "orgs/<str:organization_id>"
_project = "projects/<str:project_id>"

urlpatterns = [
    path("users/me", users.MeView.as_view()),
    path("users/update", users.UserUpdateView.as_view()),
    path("users/complete_survey", users.SurveyView.as_view()),
    path("orgs", organizations.OrganizationsView.as_view()),
    path("orgs/create", organizations.OrganizationCreateView.as_view()),
    path("orgs/invites", invitations.MyInvitesView.as_view()),
    path(_organization, organizations.OrganizationView.as_view()),
    path(f"{_organization}/update", organizations.OrganizationUpdateView.as_view()),
    path(f"{_organization}/invite", invitations.InviteView.as_view()),
    path(f"{_organization}/invites", invitations.InvitesView.as_view()),
    path(f"{_organization}/invites/<str:email>", invitations.InviteRevokeView.as_view()),
    path(f"{_organization}/accept", invitations.AcceptView.as_view()),
    path(f"{_organization}/members/remove", members.MemberRemoveView.as_view()),
    path(f"{_organization}/members/update", members.MemberUpdateView.as_view()),
    path(f"{_organization}/members/licenses", billing.LicensesView.as_view()),
    path(f"{_organization}/billing/dashboard", billing.BillingDashboardView.as_view()),
    path(f"{_organization}/stripe-pricing", billing.PricesView.as_view()),
    path(f"{_organization}/preview-member-cost", billing.MemberCostView.as_view()),
    path(f"{_organization}/subscription-detail", billing.SubscriptionView.as_view()),
    *(path(f"{_organization}/{name}", billing.BillingChangeView.as_view()) for name in billing.CHANGE),
    path("projects", projects.ProjectsView.as_view()),
    path(_project, projects.ProjectView.as_view()),
    path(f"{_project}/update", projects.ProjectUpdateView.as_view()),
    path(f"{_project}/regenerate-key", projects.RegenerateKeyView.as_view()),
    path(f"{_project}/delete", projects.ProjectDeleteView.as_view()),
]
