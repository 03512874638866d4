-- What the snapshots read: columns of every mapped type, their least, largest and odd values, and every replica identity.
-- Run with TimeZone UTC and lc_monetary C.
create extension if not exists hstore; create extension if not exists citext; create extension if not exists ltree;
create schema g;
create type g.mood as enum ('sad', 'ok', 'very happy, "really"');
create type tone as enum ('low', 'high');
create type g.pair as (a int, b text);
create domain g.d_int as int check (value > -1000000);
create domain g.d_num as numeric(10,3);
create domain g.d_text as varchar(7);
create domain g.d_nested as g.d_num;

create table g.numbers (id int primary key, b bool, i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8,
  n_5_2 numeric(5,2), n_5 numeric(5), n_38_10 numeric(38,10), n_2_4 numeric(2,4), n numeric, m money,
  d_int g.d_int, d_num g.d_num, d_nested g.d_nested);
insert into g.numbers(id) values (1);
insert into g.numbers values
 (2, true, 7, 42, 4200000000, 12345, 1.5, 2.25, 12.34, 12345, 1234567.891, 0.0012, 12.3400, 1234.5, 5, 1.5, 2.125),
 (3, false, -32768, -2147483648, -9223372036854775808, 0, -3.4028235e38, -1.7976931348623157e308, -999.99, -99999,
  -9999999999999999999999999999.9999999999, -0.0099, -1e100, '-92233720368547758.08', -999999, -9999999.999, -9999999.999),
 (4, true, 32767, 2147483647, 9223372036854775807, 4294967295, 3.4028235e38, 1.7976931348623157e308, 999.99, 99999,
  9999999999999999999999999999.9999999999, 0.0099, 1e100, '92233720368547758.07', 2147483647, 9999999.999, 9999999.999),
 (5, false, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
 (6, false, -1, -1, -1, 2147483648, 1e-45, 5e-324, 0.01, 1, 0.0000000001, 0.0001, 0.00000000000000000000000000000000000001, 0.01, -1, 0.001, 0.001),
 (7, false, -1, 128, 32768, 2147483648, 0.1, 0.1, 1.28, 128, 128, 0.0001, 100, -0.01, 1, -0.001, 1),
 (8, true, 1, 256, 65536, 7, 16777216, 9007199254740993, 100, 100, 100, 0.009, 1000.00, 100, 1, 1, 1);

create table g.special_numbers (id int primary key, f4 float4, f8 float8);
insert into g.special_numbers values (1, 'NaN', 'NaN'), (2, 'Infinity', 'Infinity'), (3, '-Infinity', '-Infinity'), (4, '-0', '-0');

create table g.negative_scale (id int primary key, n numeric(3,-2));
insert into g.negative_scale values (1, 12300);

create table g.nan (id int primary key, n numeric, n_5_2 numeric(5,2));

create table g.texts (id int primary key, t text, v varchar(10), vu varchar, c char(5), c1 char, bp bpchar, nm name, ci citext,
  j json, jb jsonb, x xml, u uuid, mood g.mood, d_text g.d_text, hs hstore, lt ltree, tv tsvector, "quoted ""Name" text, "Ünïcode" text,
  qc "char");
insert into g.texts(id) values (1);
insert into g.texts values
 (2, 'text', 'varchar', 'unbounded', 'abc', 'x', 'bp', 'a_name', 'CiText', '{"k": 1,  "k": 2}', '{"k": 1,  "b": [1.10, null]}', '<a>x</a>',
  '6f3c2b1a-0000-4000-8000-0123456789AB', 'ok', 'dom', 'a=>1, b=>NULL, "c d"=>"e\"f"', 'Top.Science', 'a fat cat', 'q', 'ü', 'c'),
 (3, '', '', '', '', '', '', '', '', '""', '""', '', '00000000-0000-0000-0000-000000000000', 'sad', '', '', '', '', '', '', ''),
 (4, E'line\nbreak\ttab "quote" \\ back', E'\u00e4\u20ac\U0001F600', E'\x01\x1f\x7f', 'äöü', 'ß', ' b ', 'n', 'Ä', '[1e400, 0.1000]',
  '[1e400, 0.1000, 123456789012345678901234567890]', '<?xml version="1.0"?><a/>', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'very happy, "really"', 'sevenxx',
  '"k\"ey"=>"NULL", e=>""', 'a.b.c', '''it''''s'':1A,2', 'null', 'NULL', '\'),
 (5, 'NULL', 'null', '\N', '     ', ' ', '\.', 'NULL', '{}', 'null', 'null', 'plain', '00000000-0000-0000-0000-000000000001', 'ok', '\N', 'NULL=>"NULL"', 'x', 'x', '\N', '\\N', 'N');

create table g.binaries (id int primary key, ba bytea, b1 bit(1), b5 bit(5), b16 bit(16), b40 bit(40), b70 bit(70), vb8 varbit(8), vb varbit);
insert into g.binaries(id) values (1);
insert into g.binaries values
 (2, '\x00ff10ab', B'1', B'10110', B'1010000000000001', B'1111111100000000101010101111000000001111', ('1' || repeat('0', 68) || '1')::varbit::bit(70), B'1011', B'101100001'),
 (3, '', B'0', B'00000', B'0000000000000000', repeat('0',40)::varbit::bit(40), repeat('0',70)::varbit::bit(70), B'', B''),
 (4, '\xfbeffe3f', B'1', B'11111', B'1111111111111111', repeat('1',40)::varbit::bit(40), repeat('1',70)::varbit::bit(70), B'11111111', repeat('10', 40)::varbit);

create table g.times (id int primary key, d date, t time, t0 time(0), t3 time(3), t6 time(6), tz timetz, tz0 timetz(0), ts timestamp, ts0 timestamp(0), ts3 timestamp(3), ts4 timestamp(4), ts6 timestamp(6),
  tstz timestamptz, tstz0 timestamptz(0), tstz3 timestamptz(3), iv interval);
insert into g.times(id) values (1);
insert into g.times values
 (2, '2026-01-02', '03:04:05.678901', '03:04:05.678901', '03:04:05.678901', '03:04:05.678901', '03:04:05.678901+02', '03:04:05.678901+02', '2026-01-02 03:04:05.678901',
  '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901+05:30', '2026-01-02 03:04:05.678901+02', '2026-01-02 03:04:05.678901-08',
  '1 year 2 mons 3 days 04:05:06.789'),
 (3, '0001-01-01', '00:00', '00:00', '00:00', '00:00', '00:00+15:59', '00:00-12', '0001-01-01 00:00', '0001-01-01 00:00', '0001-01-01 00:00', '0001-01-01', '0001-01-01', '0001-01-01 00:00+00', '1582-10-04 00:00+00', '1582-10-15 00:00+00', '-1 mons +2 days -03:00:00.000001'),
 (4, '9999-12-31', '23:59:59.999999', '23:59:59', '23:59:59.999', '23:59:59.999999', '23:59:59.999999-15:59', '23:59:59+00', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.9999', '9999-12-31 23:59:59.999999',
  '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59+00', '9999-12-31 23:59:59.999+00', '178000000 years'),
 (5, '1970-01-01', '12:00', '12:00', '12:00', '12:00', '12:00+00', '12:00+05:30', '1970-01-01', '1970-01-01', '1970-01-01', '1970-01-01', '1969-12-31 23:59:59.999999', '1970-01-01 00:00+00', '1969-12-31 23:59:59+00', '1969-12-31 23:59:59.999+00', '0'),
 (6, '1969-12-31', '00:00:00.000001', '00:00:01', '00:00:00.001', '00:00:00.1', '03:04:05+02:30', '00:00:01+01', '2026-01-02 03:04:05.1', '2026-01-02 03:04:05', '2026-01-02 03:04:05.1', '2026-01-02 03:04:05.1', '2026-01-02 03:04:05.12', '2026-01-02 03:04:05.12+00', '2026-01-02 03:04:00+00', '2026-01-02 03:00:00+00', '-1 years -2 mons +3 days -04:05:06.789');

insert into g.times(id, iv) values (7, '139 years 2 mons 3 days 04:05:06.000007'), (8, '100 years 2 mons 3 days 04:05:01.000001');

create table g.late_times (id int primary key, t time, t3 time(3), tz timetz);
insert into g.late_times values (1, '24:00:00', '24:00:00', '24:00:00+05:30');
create table g.endless_times (id int primary key, d date, ts timestamp, ts3 timestamp(3), tstz timestamptz);
insert into g.endless_times values (1, 'infinity', 'infinity', 'infinity', 'infinity'), (2, '-infinity', '-infinity', '-infinity', '-infinity');
create table g.far_times (id int primary key, d date, ts timestamp, tstz timestamptz);
insert into g.far_times values (1, '4713-01-01 BC', null, null), (2, '5874897-12-31', null, null), (3, null, '4713-01-01 BC', null), (4, null, '294276-12-31 23:59:59.999999', null),
  (5, null, null, '4713-01-01 BC'), (6, null, null, '294276-12-31 23:59:59.999999+00'), (7, '0044-03-15 BC', '0044-03-15 BC', '0044-03-15 BC'), (8, '10000-01-01', '10000-01-01', '10000-01-01'), (9, '1900-01-01', '1500-02-28', '1500-02-28');

create table g.networks (id int primary key, i inet, c cidr, m macaddr, m8 macaddr8);
insert into g.networks(id) values (1);
insert into g.networks values (2, '192.168.0.1', '10.1.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'), (3, '192.168.0.1/24', '::/0', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'), (4, '::ffff:1.2.3.4/128', '10.0.0.1/32', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00:00:00');

create table g.ranges (id int primary key, i4 int4range, i8 int8range, n numrange, ts tsrange, tstz tstzrange, d daterange);
insert into g.ranges(id) values (1);
insert into g.ranges values (2, '[1,5]', '(1,5)', '[1.50,2.5)', '[2026-01-01 00:00, 2026-01-02 00:00:00.5)', '[2026-01-01 00:00+02, 2026-01-02 00:00+02)', '[2026-01-01,2026-01-31]'),
 (3, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty'), (4, '(,)', '(,5)', '[1,)', '(,infinity]', '(,)', '(,2026-01-01)');

create table g.points (id int primary key, p point);
insert into g.points values (1, null), (2, '(1.5,-2)'), (3, '(0,1e300)');

create table g.arrays (id int primary key, b bool[], i2 int2[], i4 int4[], i8 int8[], f4 float4[], f8 float8[], n_5_2 numeric(5,2)[], n numeric[], t text[], v varchar(5)[], c char(3)[],
  u uuid[], tone tone[], d date[], ti time[], tz timetz[], ts timestamp[], tstz timestamptz[], j json[], jb jsonb[], i inet[], ci cidr[], m macaddr[],
  r4 int4range[], r8 int8range[], rn numrange[], rts tsrange[], rtz tstzrange[], rd daterange[]);
insert into g.arrays(id) values (1);
insert into g.arrays values
 (2, '{t,f,NULL}', '{1,NULL}', '{1,2,NULL}', '{1,NULL}', '{1.5,NULL}', '{2.25,NULL}', '{1.5,NULL}', '{1.50,NULL,100}', '{a,"b,c",NULL,"NULL","q\"x"}', '{ab,NULL}', '{a,NULL}',
  '{6f3c2b1a-0000-4000-8000-0123456789ab,NULL}', '{high,low,NULL}', '{2026-01-02,NULL}', '{03:04:05.678901,NULL}', '{03:04:05.678901+02,NULL}', '{2026-01-02 03:04:05.678901,NULL}', '{2026-01-02 03:04:05.678901+02,NULL}',
  array['{"a": 1}'::json, null], array['{"a": 1}'::jsonb, null], '{192.168.0.1,NULL}', '{10.0.0.0/8,NULL}', '{08:00:2b:01:02:03,NULL}',
  '{"[1,5]",NULL}', '{"[1,5]",NULL}', '{"[1.5,2]",NULL}', '{"[2026-01-01,2026-01-02)",NULL}', '{"[2026-01-01 00:00+00,2026-01-02 00:00+00)",NULL}', '{"[2026-01-01,2026-01-02)",NULL}'),
 (3, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
insert into g.arrays(id, d, ts, tstz) values (4, '{1500-01-01}', '{1500-01-01 00:00}', '{1500-01-01 00:00+00}');
create table g.deep_arrays (id int primary key, i4 int4[][], t text[]);
insert into g.deep_arrays values (1, '{{1,2},{3,4}}', '{{a,b},{c,d}}'), (2, '[0:1]={7,8}', '{x}');

create table g.odd_arrays (id int primary key, mood g.mood[], m money[], iv interval[], bt bit(3)[], vb varbit[], x xml[], p point[], nm name[], d_int g.d_int[], hs hstore[], ci citext[], ba bytea[], o oid[], bp bpchar[]);
insert into g.odd_arrays(id) values (1);
insert into g.odd_arrays values (2, '{ok}', '{1.5}', '{1 day}', '{101}', '{10}', array['<a/>'::xml], array['(1,2)'::point], '{n}', '{1}', array['a=>1'::hstore], '{A}', array['\x01'::bytea], '{1}', '{a}');
create table g.defaults (id serial primary key, b bool not null default true, i2 int2 not null default 3, i4 int4 not null default 42, i8 int8 not null default 9000000000, i8e int8 not null default 1 + 2, f4 float4 not null default 1.5, f8 float8 not null default '-2.5',
  n_5_2 numeric(5,2) not null default 1.5, n numeric not null default 10.50, m money not null default 3.5,
  t text not null default 'it''s', v varchar(10) not null default 'v', c char(5) not null default 'c', e text not null default '', ba bytea not null default '\x0102', b5 bit(5) not null default B'10101', b1 bit(1) not null default B'1',
  j json not null default '{"a": 1}', jb jsonb not null default '{}', u uuid not null default '00000000-0000-0000-0000-000000000007', uf uuid not null default gen_random_uuid(), mood g.mood not null default 'ok',
  d date not null default '2026-01-02', df date not null default current_date, ti time not null default '01:02:03', ts timestamp not null default '2026-01-02 03:04:05', tsf timestamp not null default now(), tstz timestamptz not null default '2026-01-02 03:04:05+02', tstzf timestamptz not null default now(),
  iv interval not null default '1 day', hs hstore not null default 'a=>1', i inet not null default '127.0.0.1', a int[] not null default '{1,2}', at text[] not null default array[]::text[], r int4range not null default '[1,2)',
  d_num g.d_num not null default 1.5, tn text default 'nullable', inn int default 7, tf text not null default lower('ABC'), tsn timestamptz default now(), nn numeric(5,2) default 2.5, "time" time(3) default '05:06:07.891', tz timetz not null default '01:02:03+02', x xml not null default '<a/>', vb varbit not null default B'11', i8n int8 not null default -5, p point not null default '(1,2)', nod int not null);
insert into g.defaults(nod) values (1);
create table g.generated (id int primary key, a int, twice int generated always as (a * 2) stored, ident int generated by default as identity);
insert into g.generated(id, a) values (1, 5);
create table g.composite (b text, a int, c text, v text, primary key (a, b));
insert into g.composite values ('x', 1, 'c', 'v'), (E'line\nbreak \U0001F600', 2, 'c', 'v');
create table g.nokey (a int, b text);
insert into g.nokey values (1, 'one');
create table g.uniquekey (a int not null, b text not null, v text);
create unique index uk on g.uniquekey (b, a);
insert into g.uniquekey values (1, 'one', 'v');
create table g.full_identity (id int primary key, v text, big text, ba bytea, at text[], ai int[], au uuid[], jb jsonb, hs hstore, ai8 bigint[], n numeric(5,2));
alter table g.full_identity replica identity full;
alter table g.full_identity alter big set storage external, alter ba set storage external, alter at set storage external, alter ai set storage external, alter au set storage external, alter jb set storage external, alter hs set storage external, alter ai8 set storage external;
create table g.toast (like g.full_identity including all);
create table g.indexed_identity (id int primary key, a int not null, v text, d int default 5);
create unique index ii on g.indexed_identity (a);
alter table g.indexed_identity replica identity using index ii;
insert into g.indexed_identity values (1, 10, 'v');
create table g.nothing_identity (id int primary key, v text);
alter table g.nothing_identity replica identity nothing;
insert into g.nothing_identity values (1, 'v');
create table g."Mixed Case.dot" ("Id" int primary key, "a b" text);
insert into g."Mixed Case.dot" values (1, 'v');
create table g.parted (id int, k int, v text, primary key (id, k)) partition by range (k);
create table g.parted_low partition of g.parted for values from (0) to (10);
create table g.parted_high partition of g.parted for values from (10) to (20);
insert into g.parted values (1, 1, 'low'), (2, 11, 'high');
create table g.zz_marker (id int primary key);
insert into g.zz_marker values (0);
create publication compared for all tables;
