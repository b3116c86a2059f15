# SPDX-License-Identifier: MIT
"""The status file of a Nagios."""

import time

_TEXT = """########################################
#          NAGIOS STATUS FILE
########################################

info {{
\tcreated={created}
\tversion=4.4.6
\t}}

{block} {{
\tmodified_host_attributes=0
\tnagios_pid=4711
\tenable_notifications={notifications}
\tactive_service_checks_enabled=1
\t}}

hoststatus {{
\thost_name=db1
\t}}
"""


def status_dat(age_s=0, block="programstatus", notifications=1):
    """Return the text of a status file that was written so long ago."""
    return _TEXT.format(created=int(time.time()) - age_s, block=block, notifications=notifications)
