"""Whether a phone has been heard of lately: SQL over an agency `a` and a contact `c`. Decides nothing, changes nothing.

The last word is a reply, a consent, or the answer to "is this still your phone?". While that question is open, or was never
answered, another reply does not count: it may be the stranger's who has the number now.
"""

IS_STALE = """(
    SELECT CASE WHEN a.verify_after_months = 0 THEN false
                WHEN asked.at IS NOT NULL AND asked.how IS DISTINCT FROM 'agreed' THEN COALESCE(said.at, '-infinity') <= asked.at
                ELSE COALESCE(GREATEST(said.at, wrote.at, asked.settled_at), 'infinity')
                     < CAST(:now AS timestamptz) - make_interval(months => a.verify_after_months) END
    FROM (SELECT GREATEST(
              (SELECT max(e.said_at) FROM consent_events e
               WHERE e.agency_id = c.agency_id AND e.contact_id = c.id AND e.kind = 'granted'),
              (SELECT max(e.said_at) FROM consent_events e
               WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL AND e.kind = 'opted_in')) AS at) said
    CROSS JOIN (SELECT max(r.received_at) AS at FROM replies r
                WHERE r.agency_id = c.agency_id AND r.phone_hash = c.phone_hash) wrote
    LEFT JOIN LATERAL (SELECT v.asked_at AS at, v.settled_at, v.settled_how AS how FROM enrolments v
                       WHERE v.agency_id = c.agency_id AND v.phone_hash = c.phone_hash AND v.purpose = 'verify'
                       ORDER BY v.id DESC LIMIT 1) asked ON true)"""
