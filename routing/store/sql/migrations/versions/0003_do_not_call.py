"""Numbers that must not be called."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "do_not_call",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("tenant", "number", "campaign")),
        *(_text(name) for name in ("written", "note", "marked_by")),
        sa.Column("marked_at_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("tenant", "number", "campaign", name="pk_do_not_call"),
    )
    columns = ["tenant", "marked_at_ms", "number", "campaign"]
    op.create_index("ix_do_not_call_marked", "do_not_call", columns)


def downgrade() -> None:
    op.drop_table("do_not_call")
