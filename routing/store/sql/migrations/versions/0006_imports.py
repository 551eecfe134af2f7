"""Lists of campaigns, and files on their way into them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=str(default))


def _numbers(words: str) -> list[sa.Column[int]]:
    return [_number(name) for name in words.split()]


def upgrade() -> None:
    op.create_table(
        "lists",
        _key("tenant"),
        _key("id"),
        *(_text(name) for name in ("campaign", "name", "time_zone", "created_by")),
        _number("created_at_ms"),
    )
    op.create_index("ix_lists_campaign", "lists", ["tenant", "campaign", "created_at_ms", "id"])
    _imports()
    op.create_table(
        "import_parts",
        _key("tenant"),
        _key("import_id"),
        sa.Column("part", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "import_report",
        _key("tenant"),
        _key("import_id"),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        *_numbers("line is_taken"),
        _text("reason"),
        _text("detail"),
    )


def _imports() -> None:
    op.create_table(
        "imports",
        _key("tenant"),
        _key("id"),
        *(_text(name) for name in ("list_id", "campaign", "kind", "file_name")),
        sa.Column("spec", JSON),
        *(_text(name) for name in ("state", "upload", "reason")),
        sa.Column("columns", JSON),
        *_numbers("bytes_total bytes_done"),
        _number("next_line", 1),
        *_numbers("order_base rows_read added updated duplicate refused reported"),
        _text("owner"),
        *_numbers("lease_until_ms queued_at_ms worked_ms"),
        _text("created_by"),
        _number("created_at_ms"),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
    )
    op.create_index("ix_imports_list", "imports", ["tenant", "list_id", "created_at_ms", "id"])
    op.create_index("ix_imports_state", "imports", ["tenant", "state", "created_at_ms"])


def downgrade() -> None:
    for name in ("import_report", "import_parts", "imports", "lists"):
        op.drop_table(name)
