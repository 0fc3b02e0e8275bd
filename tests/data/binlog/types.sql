-- What tests/data/binlog/types.hex holds. MariaDB 10.11 with log_bin, binlog_format=ROW, binlog_row_metadata=FULL,
-- gtid_strict_mode=1, server_id=1, character_set_server=utf8mb4 made it from these statements; types.txt is what its tables
-- then held, in the words of the test.
reset master; set timestamp=1700000000; set binlog_annotate_row_events=off;
create database t; use t; set names utf8mb4; set sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; set time_zone='+00:00';
create table ints (id int primary key, a tinyint, b tinyint unsigned, c smallint, d smallint unsigned, e mediumint, f mediumint unsigned, g int, h int unsigned, i bigint, j bigint unsigned, y year);
insert into ints values (1,-128,255,-32768,65535,-8388608,16777215,-2147483648,4294967295,-9223372036854775808,18446744073709551615,2155),(2,127,0,32767,0,8388607,0,2147483647,0,9223372036854775807,0,1901),(3,0,0,0,0,0,0,0,0,0,0,0),(4,null,null,null,null,null,null,null,null,null,null,null);
create table floats (id int primary key, a float, b double, c decimal(65,30), d decimal(10,2) unsigned, e decimal(5,0), f decimal(30,30), g decimal(9,9), h decimal(18,9));
insert into floats values (1,-3.4028234663852886e38,-1.7976931348623157e308,-99999999999999999999999999999999999.999999999999999999999999999999,99999999.99,-99999,-0.999999999999999999999999999999,-0.999999999,-999999999.999999999),(2,1.175494351e-38,2.2250738585072014e-308,99999999999999999999999999999999999.999999999999999999999999999999,0.01,99999,0.000000000000000000000000000001,0.000000001,100000000.000000001),(3,-0e0,-0e0,0,0,0,0,0,0),(4,null,null,null,null,null,null,null,null),(5,1.5,0.1,-0.5,12.30,-7,0.1,0.1,-1.1);
create table bits (id int primary key, a bit(1), b bit(7), c bit(8), d bit(9), e bit(33), f bit(64));
insert into bits values (1,1,127,255,511,8589934591,18446744073709551615),(2,0,0,0,0,0,0),(3,null,null,null,null,null,null),(4,1,5,130,257,4294967297,9223372036854775809);
create table temporals (id int primary key, d date, t0 time, t1 time(1), t2 time(2), t3 time(3), t4 time(4), t5 time(5), t6 time(6), dt0 datetime, dt1 datetime(1), dt3 datetime(3), dt6 datetime(6), ts0 timestamp null, ts2 timestamp(2) null, ts4 timestamp(4) null, ts6 timestamp(6) null);
insert into temporals values (1,'9999-12-31','838:59:59','838:59:59.9','838:59:59.99','838:59:59.999','838:59:59.9999','838:59:59.99999','838:59:59.999999','9999-12-31 23:59:59','9999-12-31 23:59:59.9','9999-12-31 23:59:59.999','9999-12-31 23:59:59.999999','2038-01-19 03:14:07','2038-01-19 03:14:07.99','2038-01-19 03:14:07.9999','2038-01-19 03:14:07.999999'),
(2,'0000-00-00','-838:59:59','-838:59:59.9','-838:59:59.99','-838:59:59.999','-838:59:59.9999','-838:59:59.99999','-838:59:59.999999','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00'),
(3,'2024-00-00','-00:00:01','-00:00:00.1','-00:00:00.01','-00:00:00.001','-00:00:00.0001','-00:00:00.00001','-00:00:00.000001','2024-02-00 00:00:00','1970-01-01 00:00:00.5','2024-00-00 01:02:03.004','2024-02-31 01:02:03.000456','1970-01-01 00:00:01','1970-01-01 00:00:00.01','1970-01-01 00:00:01.0001','1970-01-01 00:00:00.000001'),
(4,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null),
(5,'1000-01-01','-23:59:59','-01:00:00.0','24:00:00.50','-00:01:01.250','00:00:00','-00:00:01.00000','12:34:56.123456','1000-01-01 00:00:00','2001-02-03 04:05:06.7','2001-02-03 04:05:06.789','2001-02-03 04:05:06.789012','2001-02-03 04:05:06','2001-02-03 04:05:06.78','2001-02-03 04:05:06.7890','2001-02-03 04:05:06.789012');
create table texts (id int primary key, a char(10) character set latin1, b char(255) character set utf8mb4, c varchar(20) character set utf8mb3, d varchar(300) character set ucs2, e tinytext, f text character set latin1 collate latin1_bin, g mediumtext character set utf8mb4 collate utf8mb4_bin, h longtext, i char(0), j varchar(0), k char(100) character set utf8mb4 collate utf8mb4_unicode_ci, l char(63) character set utf8mb4, m char(64) character set utf8mb4) default charset utf8mb4;
insert into texts values (1,'abc','ünïcode 😀','drei','vier','fünf','café',repeat('x',300),repeat('😀',100),'','','kk','ll','mm'),(2,'','','','','','','','','','','','',''),(3,null,null,null,null,null,null,null,null,null,null,null,null,null),(4,'trail  ',repeat('😀',255),repeat('é',20),repeat('z',300),repeat('t',255),repeat('y',1000),'g','h','','','k ','l','m');
create table bins (id int primary key, a binary(5), b binary(255), c varbinary(20), d varbinary(300), e tinyblob, f blob, g mediumblob, h longblob, i binary(0));
insert into bins values (1,x'0001020000',x'ff',x'00ff00',x'0000','\0','abc',x'fffe',repeat(x'80',300),''),(2,'','','','','','','','',''),(3,null,null,null,null,null,null,null,null,null),(4,x'0000000000',x'00',x'2020',x'20',x'20',x'00',x'00',x'00','');
create table enums (id int primary key, a enum('x','y','ü😀') character set utf8mb4, b enum('é','b') character set latin1, s set('a','b','c') character set utf8mb4, s9 set('1','2','3','4','5','6','7','8','9'), u enum('q','ж') character set ucs2, s64 set('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25','26','27','28','29','30','31','32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58','59','60','61','62','63','64'), bb enum('a','b') character set binary) default charset utf8mb4;
set @l='create table bigenum (id int primary key, a enum(';
delimiter //
for i in 0..299 do set @l=concat(@l, if(i=0,'',','), '''v', i, ''''); end for //
delimiter ;
set @l=concat(@l,')) charset latin1'); execute immediate @l;
insert into enums values (1,'x','é','a,b,c','9','ж','64','b'),(2,'ü😀','b','','1,9','q','1,64','a'),(3,null,null,null,null,null,null,null),(4,1,2,5,511,2,'1,2,33','b');
insert ignore into enums values (5,'nope','nope','nope','','','','a');
insert into bigenum values (1,'v0'),(2,'v255'),(3,'v256'),(4,'v299'),(5,null);
create table uuids (id int primary key, u uuid, v4 inet4, v6 inet6);
insert into uuids values (1,'00112233-4455-6677-8899-aabbccddeeff','1.2.3.4','::ffff:1.2.3.4'),(2,'00000000-0000-0000-0000-000000000000','0.0.0.0','::'),(3,null,null,null),(4,'ffffffff-ffff-ffff-ffff-ffffffffffff','255.255.255.255','2001:db8::1'),(5,'123e4567-e89b-12d3-a456-426655440000','10.0.0.0','fe80::'),(6,'123e4567-e89b-42d3-0456-426655440000','1.0.0.0','::1'),(7,'01890a5d-ac96-774b-bcce-b302099a8057','1.0.0.0','::1');
create table geoms (id int primary key, g geometry, p point, l linestring, gc geometrycollection);
insert into geoms values (1,ST_GeomFromText('POINT(1 2)'),ST_GeomFromText('POINT(-1 2)',4326),ST_GeomFromText('LINESTRING(0 0,1 1)'),ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')),(2,null,null,null,null);
create table gen (id int primary key, a int, v int as (a+1) virtual, p int as (a+2) persistent, inv int invisible default 7, j json, k int as (json_value(j,'$.k')) virtual);
insert into gen (id,a,j) values (1,5,'{"k":1}'),(2,null,null); update gen set a=6,inv=8 where id=1; delete from gen where id=2;
create table comp (id int primary key, a varchar(1000) compressed, b text compressed, c varbinary(1000) compressed, d blob compressed, e longtext compressed character set utf8mb4, f tinytext compressed, g mediumblob compressed, h varchar(100) compressed) character set latin1;
insert into comp values (1,repeat('a',900),repeat('b',5000),repeat('c',900),repeat('d',5000),repeat('😀',5000),repeat('t',250),repeat('g',70000),repeat('q',90)),(2,'','','','','','','',''),(3,null,null,null,null,null,null,null,null),(4,'short','short','short','short','short','s','s','s');
create table keys1 (a int, b varchar(20), c text, primary key(b,a)); insert into keys1 values (1,'x','y');
create table keys2 (a int, b varchar(200), c text, primary key(c(10),a)); insert into keys2 values (1,'x','yyyy');
create table nokey (a int, b int not null, unique key(b)); insert into nokey values (1,2);
create table `we``ird "tab` (`co l` int primary key, `q``"'` int, `ünï` int, `CamelCase` varchar(3) character set cp1251); insert into `we``ird "tab` values (1,2,3,'ж');
create table sys (id int primary key, a int) with system versioning; insert into sys values (1,1); update sys set a=2; delete from sys;
create table mix (b bit(1), x int unsigned, y year, z bigint, g geometry, t text character set latin1, d date, w smallint unsigned, ts timestamp, c char(3) character set ucs2, primary key(x));
insert into mix values (1,4000000000,2020,-1,null,'é','2020-01-01',65535,'2020-01-01','ab');
create table period1 (id int primary key, s date, e date, period for p(s,e)); insert into period1 values (1,'2020-01-01','2021-01-01');
update temporals set d='2020-01-01', t6='-00:00:00.5' where id=4;
set global mysql56_temporal_format=off;
create table oldtime (id int primary key, t0 time, t1 time(1), t2 time(2), t3 time(3), t4 time(4), t5 time(5), t6 time(6), dt0 datetime, dt1 datetime(1), dt3 datetime(3), dt4 datetime(4), dt6 datetime(6), ts0 timestamp null, ts2 timestamp(2) null, ts4 timestamp(4) null, ts6 timestamp(6) null);
set global mysql56_temporal_format=on;
insert into oldtime values (1,'838:59:59','838:59:59.9','838:59:59.99','838:59:59.999','838:59:59.9999','838:59:59.99999','838:59:59.999999','9999-12-31 23:59:59','9999-12-31 23:59:59.9','9999-12-31 23:59:59.999','9999-12-31 23:59:59.9999','9999-12-31 23:59:59.999999','2038-01-19 03:14:07','2038-01-19 03:14:07.99','2038-01-19 03:14:07.9999','2038-01-19 03:14:07.999999'),
(2,'-838:59:59','-838:59:59.9','-838:59:59.99','-838:59:59.999','-838:59:59.9999','-838:59:59.99999','-838:59:59.999999','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00'),
(3,'-00:00:01','-00:00:00.1','-00:00:00.01','-00:00:00.001','-00:00:00.0001','-00:00:00.00001','-00:00:00.000001','2024-02-00 00:00:00','1970-01-01 00:00:00.5','2024-00-00 01:02:03.004','2001-02-03 04:05:06.1234','2024-02-31 01:02:03.000456','1970-01-01 00:00:01','1970-01-01 00:00:00.01','1970-01-01 00:00:01.0001','1970-01-01 00:00:00.000001'),
(4,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null),
(5,'-23:59:59','-01:00:00.0','24:00:00.50','-00:01:01.250','00:00:00','-00:00:01.00000','12:34:56.123456','1000-01-01 00:00:00','2001-02-03 04:05:06.7','2001-02-03 04:05:06.789','1000-01-01 00:00:00.0001','2001-02-03 04:05:06.789012','2001-02-03 04:05:06','2001-02-03 04:05:06.78','2001-02-03 04:05:06.7890','2001-02-03 04:05:06.789012');
