"""The database and the blob store: tables, named queries, migrations.

Queries are plain functions `query(conn, …)` on a SQLAlchemy Core connection, one module a table family. They
run through `Database.run` (writes, group commit) or `Database.read`. SQL is written here and nowhere else.
"""
