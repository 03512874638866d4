create schema longshore_demo;
create table longshore_demo.customers (id int primary key, name text not null, email text);
create table longshore_demo.orders (id bigint primary key, customer int not null, total numeric(10,2) not null, placed_at timestamptz not null default now());
insert into longshore_demo.customers values (1, 'Ada', 'ada@example.com'), (2, 'Grace', null), (3, 'Edsger', 'edsger@example.com');
insert into longshore_demo.orders (id, customer, total) values (1, 1, 19.99);
