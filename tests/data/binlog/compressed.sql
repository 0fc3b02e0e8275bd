-- What tests/data/binlog/compressed.hex holds; made like types.hex, with log_bin_compress=1 in the configuration.
reset master; set timestamp=1700000000; set binlog_annotate_row_events=off; create database z; use z;
create table a (id int primary key, v varchar(300), w varchar(10)) comment 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc';
insert into a select seq, repeat('c',20), 'x' from seq_1_to_50;
update a set v=repeat('d',200), w=null where id<=10;
delete from a where id>5;
