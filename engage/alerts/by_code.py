"""Finds the alert that a code names: a code in, a locked row out. Changes nothing."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.alerts.model import Alert
from engage.alerts.rules.words import AlertState
from engage.errors import NotFound


def unresolved(session: Session, agency_id: int, code: str) -> Alert:
    """The unresolved alert with `code`, locked until the transaction ends; NotFound without one."""
    alert = session.scalars(
        select(Alert)
        .where(Alert.agency_id == agency_id, Alert.code == code, Alert.state != AlertState.RESOLVED)
        .with_for_update()
    ).first()
    if alert is None:
        raise NotFound(
            f"No unresolved alert has the code {code}: see engage alerts list.", reason="alert.none", code=code
        )
    return alert
