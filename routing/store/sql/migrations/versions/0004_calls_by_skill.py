"""With which priority and skills a call entered its queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("call_steps", sa.Column("priority", sa.BigInteger))
    op.add_column("call_steps", sa.Column("requires", JSON))


def downgrade() -> None:
    with op.batch_alter_table("call_steps") as table:
        table.drop_column("requires")
        table.drop_column("priority")
