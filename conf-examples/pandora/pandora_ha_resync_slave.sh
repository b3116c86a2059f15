#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In place of Pandora FMS's script of that name (ha_resync): makes SLAVE a copy of MASTER and its replica.
#
#   pandora_ha_resync_slave.sh PANDORA_SERVER_CONF MASTER SLAVE    as ha_hosts names them
#
# Each line of ha_resync_log begins with the time, the node and its state: pending (another resync is at
# work), running, failed or normal; so the last line of a node is its state. Exit 0: normal.

set -u
cluster=/etc/monitoring-plugins-ha/pandora.conf
# An account with all privileges, which is the same on every node.
admin=/etc/monitoring-plugins-ha/admin.cnf

[ $# -eq 3 ] || { echo "usage: $0 PANDORA_SERVER_CONF MASTER SLAVE" >&2; exit 1; }
conf=$1 master=$2 slave=$3
log=$(sed -n 's/^ha_resync_log[[:blank:]][[:blank:]]*//p' "$conf" | tail -n 1)
log=${log:-/var/log/pandora/pandora_ha_resync.log}

say() {
  printf '%s %s %s: %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$slave" "$1" "$2" >>"$log"
}

ha() {
  mysql_ha "$@" --cluster "$cluster"
}

exec 9>>"$log.lock" || exit 1
flock -n 9 || { say pending "another resync is at work"; flock 9; }

say running "from $master"
if ! ha status 2>&1 | awk -v master="$master" '$1 == master && $2 == "primary" { found = 1 } END { exit !found }'; then
  say failed "$master is not the primary; see: mysql_ha status"
  exit 1
fi

code=$({ {
  ha resync "$slave" --from "$master" --defaults-file "$admin" 2>&1
  echo $? >&3
} | while IFS= read -r line; do say running "$line"; done; } 3>&1)

# Exit 1 is done, with warnings that the lines above name.
case $code in
  0 | 1) say normal "it is a replica of $master" ;;
  *) say failed "mysql_ha resync ended with ${code:-nothing}"; exit 1 ;;
esac
