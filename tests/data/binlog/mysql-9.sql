/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;
/*!50003 SET @OLD_COMPLETION_TYPE=@@COMPLETION_TYPE,COMPLETION_TYPE=0*/;
DELIMITER /*!*/;
ROLLBACK/*!*/;
BINLOG '
ItsNaw86UQAAewAAAH8AAAAAAAQAOS43LjQtMgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAi2w1rEwANAAgAAAAABAAEAAAAYwAEGggAAAAAAAACAAAACgoKKioAEjQA
CigAAAGjs8kN
'/*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179098436*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:1'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
SET @@session.pseudo_thread_id=10/*!*/;
SET @@session.foreign_key_checks=1, @@session.sql_auto_is_null=0, @@session.unique_checks=1, @@session.autocommit=1/*!*/;
SET @@session.sql_mode=1168113696/*!*/;
SET @@session.auto_increment_increment=1, @@session.auto_increment_offset=1/*!*/;
/*!\C utf8mb4 *//*!*/;
SET @@session.character_set_client=45,@@session.collation_connection=45,@@session.collation_server=255/*!*/;
SET @@session.lc_time_names=0/*!*/;
SET @@session.collation_database=DEFAULT/*!*/;
/*!80011 SET @@session.default_collation_for_utf8mb4=255*//*!*/;
/*!80016 SET @@session.default_table_encryption=0*//*!*/;
CREATE DATABASE shop
/*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179146672*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:2'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
SET @@session.explicit_defaults_for_timestamp=1/*!*/;
/*!80013 SET @@session.sql_require_primary_key=0*//*!*/;
CREATE TABLE shop.every (id INT NOT NULL PRIMARY KEY, at TIMESTAMP(3) NULL, KEY (at), tiny TINYINT, big BIGINT, huge BIGINT UNSIGNED, amount DECIMAL(65,30), single FLOAT, number DOUBLE, fixed DOUBLE(12,3), flags BIT(64), word ENUM('a','it''s','€') NULL, words SET('x','y','z'), day DATE, moment DATETIME(6), span TIME(3), annum YEAR, name VARCHAR(50) CHARACTER SET utf8mb4, old VARCHAR(20) CHARACTER SET latin1, wide VARCHAR(20) CHARACTER SET utf16, fix CHAR(5), bin BINARY(4), vbin VARBINARY(300), note TEXT CHARACTER SET utf8mb4, data LONGBLOB, doc JSON, place GEOMETRY, twice BIGINT AS (id * 2) STORED, thrice BIGINT AS (id * 3) VIRTUAL)
/*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179160831*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:3'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
/*!80013 SET @@session.sql_require_primary_key=0*//*!*/;
CREATE TABLE shop.item (id INT PRIMARY KEY, note VARCHAR(20))
/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179212023*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:4'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
SET @@session.sql_mode=0/*!*/;
SET @@session.time_zone='+00:00'/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAgwAAAH0GAAAAAG0AAAAAAAEABHNob3AABWV2ZXJ5ABwDEQEICPYEBQUQ/v4KEhMN
Dw8P/v4P/Pz1/wgIHgNBHgQICAAI9wH4AQYDyAAUAFAA/hT+BCwBAgQEBP7//w8BAhCAAw78/wAI
Nvz/AD8//P8APwcBAEhNh1o=
I9sNax46UQAATgEAAMsHAAAAAG0AAAAAABEAAgAc/////wAAAAABAAAAZVPxAATO+wAAAAAAAACA
//////////9///////////////7yBMct//////////////////7NzIw/4fWTNeYkcYFxPQrXo7Ao
QIAAAAAAAAABAgUAAACZsZ1jVAAAAUuRBdj6ew7wn5CsIGl0J3MgXCAiCgRjYWbpAiCsAmFiAgAB
AwAA/ycGAMOpw6nDqQUAAAAAAQL/J1gAAAAAAwBXABkAAQAaAAEAGwADAAIeAABLAApPAGFvYmln
BwAtAAUBAAX+/wsZAAshAAQAAAQBAAwpAAAAAAAAAPg/nHUAiDzkN34DeCJ5AAAEAP//////////
GQAAAAAAAAABAQAAAAAAAAAAAPA/AAAAAAAAAEACAAAAAAAAAAMAAAAAAAAA6U7+Bg==
'/*!*/;
COMMIT/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179233775*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:5'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAgwAAAAMJAAAAAG0AAAAAAAEABHNob3AABWV2ZXJ5ABwDEQEICPYEBQUQ/v4KEhMN
Dw8P/v4P/Pz1/wgIHgNBHgQICAAI9wH4AQYDyAAUAFAA/hT+BCwBAgQEBP7//w8BAhCAAw78/wAI
Nvz/AD8//P8APwcBAKs5cNI=
I9sNax46UQAAPgAAAEEJAAAAAG0AAAAAABEAAgAc//////7//wMCAAAABAAAAAAAAAAGAAAAAAAA
AIoC6BA=
'/*!*/;
COMMIT/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179251891*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:6'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAOgAAADAKAAAAAG8AAAAAAAEABHNob3AABGl0ZW0AAgMPAlAAAgEBAAID/P8ANuQ2
ZA==
I9sNax46UQAAOAAAAGgKAAAAAG8AAAAAABEAAgAC/wABAAAAAWEAAgAAAAFiAAMAAAABY0PMrrU=
'/*!*/;
COMMIT/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179270191*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:7'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAOgAAAGALAAAAAG8AAAAAAAEABHNob3AABGl0ZW0AAgMPAlAAAgEBAAID/P8ASKg2
IQ==
I9sNax86UQAAMwAAAJMLAAAAAG8AAAAAABEAAgAC//8AAgAAAAFiABQAAAACYmJXtGzi
'/*!*/;
COMMIT/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179285832*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:8'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAOgAAAIIMAAAAAG8AAAAAAAEABHNob3AABGl0ZW0AAgMPAlAAAgEBAAID/P8ADiAY
bw==
I9sNayA6UQAAKgAAAKwMAAAAAG8AAAAAABEAAgAC/wADAAAAAWOTrE9l
'/*!*/;
COMMIT/*!*/;
/*!50718 SET TRANSACTION ISOLATION LEVEL READ COMMITTED*//*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179310144*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:9'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
BEGIN
/*!*/;

BINLOG '
I9sNaxM6UQAAgwAAAOwNAAAAAG0AAAAAAAEABHNob3AABWV2ZXJ5ABwDEQEICPYEBQUQ/v4KEhMN
Dw8P/v4P/Pz1/wgIHgNBHgQICAAI9wH4AQYDyAAUAFAA/hT+BCwBAgQEBP7//w8BAhCAAw78/wAI
Nvz/AD8//P8APwcBAPtixaw=
I9sNax46UQAAaQAAAFUOAAAAAG0AAAAAABEAAgAc/////96f/wMDAAAAgAAAAAAAAAAAAAAAAAAA
AB3NZQAAAAAAAAAAAAAAgAAAAAAAAAB////seAYAAAAAAAAACQAAAAAAAADbol9X
'/*!*/;
COMMIT/*!*/;
/*!80001 SET @@session.original_commit_timestamp=1796070179332774*//*!*/;
/*!80014 SET @@session.original_server_version=90704*//*!*/;
/*!80014 SET @@session.immediate_server_version=90704*//*!*/;
SET @@SESSION.GTID_NEXT= 'd336b9f4-ecfb-11f1-b7ab-02fc00000001:10'/*!*/;
SET TIMESTAMP=1796070179/*!*/;
TRUNCATE TABLE shop.item
/*!*/;
SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */ /*!*/;
DELIMITER ;
/*!50003 SET COMPLETION_TYPE=@OLD_COMPLETION_TYPE*/;
/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;
