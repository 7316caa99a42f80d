"""Money: rate cards, the credit of accounts and its ledger, what calls reserve and attempts cost."""

import sqlalchemy as sa
from alembic import op

from outdial.storage.tables.metadata import BigKey

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DEFAULT_CARD = sa.text("account_id IS NULL")
_OWN_CARD = sa.text("account_id IS NOT NULL")


def _amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("currency", sa.Text(), nullable=False, server_default="USD"))
    op.add_column("accounts", sa.Column("prepaid", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("accounts", _amount("balance"))
    op.add_column("accounts", _amount("reserved"))
    op.add_column("calls", sa.Column("rate", sa.Text(), nullable=True))
    op.add_column("calls", _amount("reserved"))
    op.add_column("cdrs", _amount("charge"))
    op.add_column("cdrs", sa.Column("pulse_s", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cdrs", _amount("billed_ms"))
    op.create_table(
        "rates",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("account_id", BigKey, nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("first_pulse_s", sa.Integer(), nullable=False),
        sa.Column("next_pulse_s", sa.Integer(), nullable=False),
        sa.Column("first_price", sa.BigInteger(), nullable=False),
        sa.Column("next_price", sa.BigInteger(), nullable=False),
        sa.Column("connection_fee", sa.BigInteger(), nullable=False),
        sa.Column("iso", sa.Text(), nullable=True),
        sa.Column("country_name", sa.Text(), nullable=False),
        sa.Column("calling_code", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_rates_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rates")),
    )
    op.create_index(
        "uq_rates_default",
        "rates",
        ["currency", "prefix"],
        unique=True,
        sqlite_where=_DEFAULT_CARD,
        postgresql_where=_DEFAULT_CARD,
    )
    op.create_index(
        "uq_rates_own",
        "rates",
        ["account_id", "currency", "prefix"],
        unique=True,
        sqlite_where=_OWN_CARD,
        postgresql_where=_OWN_CARD,
    )
    op.create_table(
        "ledger",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('top_up', 'charge', 'reserve', 'release', 'adjustment')", name=op.f("ck_ledger_kind")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ledger_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_account_id", "ledger", ["account_id", "id"])
    op.create_index("ix_ledger_call_id", "ledger", ["call_id"])


def downgrade() -> None:
    op.drop_table("ledger")
    op.drop_table("rates")
    op.drop_column("cdrs", "billed_ms")
    op.drop_column("cdrs", "pulse_s")
    op.drop_column("cdrs", "charge")
    op.drop_column("calls", "reserved")
    op.drop_column("calls", "rate")
    op.drop_column("accounts", "reserved")
    op.drop_column("accounts", "balance")
    op.drop_column("accounts", "prepaid")
    op.drop_column("accounts", "currency")
