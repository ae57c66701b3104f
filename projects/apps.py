from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = _("Projects and access")


class PortalAdminConfig(AdminConfig):
    default_site = "projects.admin_site.PortalAdminSite"
