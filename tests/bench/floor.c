/* SPDX-License-Identifier: MIT
 *
 * The least that a check of replication can do: connect, read the replication status, close. What
 * our checks cost above it is ours.
 *
 *   floor HOST PORT USER PASSWORD STATEMENT
 */

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  MYSQL* const mysql = mysql_init(NULL);
  if (mysql == NULL ||
      !mysql_real_connect(mysql, argv[1], argv[3], argv[4], NULL, (unsigned)atoi(argv[2]), NULL, 0) ||
      mysql_query(mysql, argv[5]) != 0) {
    fprintf(stderr, "%s\n", mysql != NULL ? mysql_error(mysql) : "out of memory");
    return 2;
  }
  MYSQL_RES* const result = mysql_store_result(mysql);
  if (result == NULL) return 2;
  while (mysql_fetch_row(result) != NULL) continue;
  mysql_free_result(result);
  mysql_close(mysql);
  return 0;
}
