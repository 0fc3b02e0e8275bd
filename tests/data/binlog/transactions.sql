-- What tests/data/binlog/transactions.hex holds; made like types.hex. transactions.txt is what the reader tells of it.
reset master; set timestamp=1700000000; create database x; use x;
create table a (id int primary key, v varchar(20)) engine=innodb; create table m (id int primary key, v varchar(20)) engine=myisam;
begin; insert into a values (1,'x'); insert into a values (2,'y'); savepoint s1; insert into a values (3,'z'); rollback to s1; insert into a values(4,'q'); commit;
begin; insert into a values (10,'x'); insert into m values (10,'x'); rollback;
insert into m values (1,'m');
create table cs as select * from a; 
create or replace table cs as select * from a; 
xa start 'g1','b1',7; insert into a values (20,'xa'); xa end 'g1','b1',7; xa prepare 'g1','b1',7; xa commit 'g1','b1',7;
xa start 'g2'; insert into a values (21,'xa'); xa end 'g2'; xa prepare 'g2'; xa rollback 'g2';
xa start 'g3'; insert into a values (22,'xa'); xa end 'g3'; xa commit 'g3' one phase;
set session binlog_format=statement; set timestamp=1700000000; insert into a values (30,'stmt'); insert into a values (31, @v:='k'); update a set v=@v where id=31; create temporary table tt(i int); insert into a values(last_insert_id()+40,'r'); set session binlog_format=row;
truncate table a; truncate m; 
set session sql_mode=ansi_quotes;
insert into a select seq, repeat('c',20) from seq_1_to_20; update a set v='d'; delete from a where id<18;
alter table a add column `c /*x*/` varchar(300) default 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
rename table cs to cs2, m to m2; drop table if exists cs2, nosuch; drop database if exists nosuchdb;
set session binlog_alter_two_phase=1; alter table a add column zz int; set session binlog_alter_two_phase=0;
update a join m2 on a.id=m2.id set a.v='k', m2.v='k'; create sequence sq; select nextval(sq); create view vv as select 1; set password=password(''); 
