"""Numbers whose call was dropped; where a ledger begins of which old rows were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reserved_numbers",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("until_ms", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_index("ix_reserved_numbers_until", "reserved_numbers", ["tenant", "until_ms"])
    op.add_column("ledger_heads", sa.Column("cut_sequence", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("ledger_heads", sa.Column("cut_hash", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("ledger_heads") as table:
        table.drop_column("cut_hash")
        table.drop_column("cut_sequence")
    op.drop_table("reserved_numbers")
