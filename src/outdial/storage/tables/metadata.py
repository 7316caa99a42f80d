"""What all tables share: the metadata with its naming convention, and the type of numbered keys."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column of exactly this type.
BigKey = BigInteger().with_variant(Integer, "sqlite")
