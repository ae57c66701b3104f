"""What time it is: the database's clock, which all workers share. A machine whose own clock jumps makes no report twice
and skips none.
"""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
    moment: datetime = now
    return moment
