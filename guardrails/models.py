"""All models of the app; each lives in the room that it belongs to."""

from .enforcement.models import Decision as Decision
from .enforcement.models import Limit as Limit
from .enforcement.models import LimitUse as LimitUse
from .enforcement.models import Reservation as Reservation
from .enforcement.models import Rule as Rule
from .incidents.models import Contact as Contact
from .incidents.models import Incident as Incident
from .incidents.models import IncidentEvent as IncidentEvent
from .incidents.models import Notice as Notice
from .incidents.models import Notification as Notification
from .policies.models import Policy as Policy
from .policies.models import PolicyClock as PolicyClock
from .reports.models import Delivery as Delivery
from .reports.models import Recipient as Recipient
from .reports.models import Report as Report
from .reports.models import ReportFile as ReportFile
from .reports.models import ReportSchedule as ReportSchedule
from .reviews.models import Review as Review
