"""What the account is set to: its numbers, Messaging Services, campaigns and brands, as Twilio's REST API shows them. Read only.

In: a path and its query. Out: an answer, or None for a path that is not one of these. Fields as in Twilio's SDK 9.13 and its OpenAPI
documents: api v2010 IncomingPhoneNumbers; messaging v1 Services, Compliance/Usa2p, a2p/BrandRegistrations.
"""

import hashlib
import re
from datetime import datetime

from engage.simulation.twilio.account import Account
from engage.simulation.twilio.refusals import refusal
from engage.simulation.twilio.senders import Registration, Sender
from engage.simulation.twilio.wire import API_VERSION, Answer, Form

_SERVICE = re.compile(r"/v1/Services/(MG[0-9a-fA-F]{32})")
_CAMPAIGN = re.compile(r"/v1/Services/(MG[0-9a-fA-F]{32})/Compliance/Usa2p")
_BRAND = re.compile(r"/v1/a2p/BrandRegistrations/(BN[0-9a-fA-F]{32})")


def show(account: Account, path: str, query: str) -> Answer | None:
    """One GET of what is set."""
    if path == f"/{API_VERSION}/Accounts/{account.sid}/IncomingPhoneNumbers.json":
        return _numbers(account, Form.decode(query), path)
    if match := _SERVICE.fullmatch(path):
        return _service(account, match[1]) if account.senders.has_service(match[1]) else refusal(20404, path)
    if match := _CAMPAIGN.fullmatch(path):
        return _campaigns(account, match[1], path) if account.senders.has_service(match[1]) else refusal(20404, path)
    if match := _BRAND.fullmatch(path):
        known = account.senders.registration_of_brand(match[1])
        return Answer(200, _brand(account, match[1], known)) if known is not None else refusal(20404, path)
    return None


def brand_sid(service_sid: str) -> str:
    """The brand behind a service's campaign."""
    return "BN" + hashlib.md5(service_sid.encode(), usedforsecurity=False).hexdigest()


def _numbers(account: Account, query: Form, path: str) -> Answer:
    wanted = query.get("PhoneNumber")
    found = [_number(account, one) for one in account.senders.all() if not wanted or wanted in one.e164]
    uri = f"{path}?PageSize=50&Page=0"
    page: dict[str, object] = {
        "end": max(len(found) - 1, 0),
        "first_page_uri": uri,
        "next_page_uri": None,
        "page": 0,
        "page_size": 50,
        "previous_page_uri": None,
        "start": 0,
        "uri": uri,
        "incoming_phone_numbers": found,
    }
    return Answer(200, page)


def _number(account: Account, sender: Sender) -> dict[str, object]:
    sid = "PN" + hashlib.md5(sender.e164.encode(), usedforsecurity=False).hexdigest()
    set_here: dict[str, object] = {
        "account_sid": account.sid,
        "address_sid": None,
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {"mms": True, "sms": True, "voice": True, "fax": False},
        "date_created": "Thu, 01 Oct 2026 12:00:00 +0000",
        "date_updated": "Thu, 01 Oct 2026 12:00:00 +0000",
        "friendly_name": sender.e164,
        "identity_sid": None,
        "phone_number": sender.e164,
        "origin": "twilio",
        "sid": sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": sender.fallback_url or "",
        "sms_method": sender.inbound_method,
        "sms_url": sender.inbound_url or "",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": None,
        "uri": f"/{API_VERSION}/Accounts/{account.sid}/IncomingPhoneNumbers/{sid}.json",
        "voice_receive_mode": "voice",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": None,
        "voice_method": "POST",
        "voice_url": sender.voice_url or "",
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
        "type": "local",
    }
    return set_here


def _service(account: Account, sid: str) -> Answer:
    registration = account.senders.registration(sid)
    url = f"https://messaging.twilio.com/v1/Services/{sid}"
    return Answer(
        200,
        {
            "sid": sid,
            "account_sid": account.sid,
            "friendly_name": "a service",
            "date_created": _iso(account.now()),
            "date_updated": _iso(account.now()),
            "inbound_request_url": account.senders.service_url(sid),
            "inbound_method": "POST",
            "fallback_url": None,
            "fallback_method": "POST",
            "status_callback": None,
            "sticky_sender": True,
            "mms_converter": True,
            "smart_encoding": False,
            "scan_message_content": "inherit",
            "fallback_to_long_code": False,
            "area_code_geomatch": True,
            "synchronous_validation": False,
            "validity_period": 36000,
            "url": url,
            "links": {"us_app_to_person": f"{url}/Compliance/Usa2p"},
            "usecase": "notifications",
            "us_app_to_person_registered": registration is not None and registration.campaign_status == "VERIFIED",
            "use_inbound_webhook_on_number": account.senders.service_url(sid) is None,
        },
    )


def _campaigns(account: Account, sid: str, path: str) -> Answer:
    registration = account.senders.registration(sid)
    url = f"https://messaging.twilio.com{path}"
    found = [] if registration is None else [_campaign(account, sid, registration, url)]
    meta: dict[str, object] = {
        "page": 0,
        "page_size": 50,
        "first_page_url": f"{url}?PageSize=50&Page=0",
        "previous_page_url": None,
        "next_page_url": None,
        "url": f"{url}?PageSize=50&Page=0",
        "key": "compliance",
    }
    return Answer(200, {"compliance": found, "meta": meta})


def _campaign(account: Account, sid: str, registration: Registration, url: str) -> dict[str, object]:
    own = "QE" + hashlib.md5(sid.encode(), usedforsecurity=False).hexdigest()
    return {
        "sid": own,
        "account_sid": account.sid,
        "brand_registration_sid": brand_sid(sid),
        "messaging_service_sid": sid,
        "description": "Visit reminders and check-ins of a home-health agency.",
        "message_samples": list(registration.samples),
        "us_app_to_person_usecase": "MIXED",
        "has_embedded_links": False,
        "has_embedded_phone": registration.has_phone,
        "subscriber_opt_in": False,
        "age_gated": False,
        "direct_lending": False,
        "campaign_status": registration.campaign_status,
        "campaign_id": "C000001",
        "is_externally_registered": False,
        "rate_limits": {},
        "message_flow": registration.message_flow,
        "opt_in_message": "",
        "opt_out_message": registration.opt_out_message,
        "help_message": registration.help_message,
        "opt_in_keywords": ["START"],
        "opt_out_keywords": ["STOP"],
        "help_keywords": ["HELP"],
        "date_created": _iso(account.now()),
        "date_updated": _iso(account.now()),
        "url": f"{url}/{own}",
        "mock": False,
        "errors": [],
        "privacy_policy_url": None,
        "terms_and_conditions_url": None,
    }


def _brand(account: Account, sid: str, registration: Registration) -> dict[str, object]:
    return {
        "sid": sid,
        "account_sid": account.sid,
        "customer_profile_bundle_sid": "BU" + "0" * 32,
        "a2p_profile_bundle_sid": "BU" + "1" * 32,
        "date_created": _iso(account.now()),
        "date_updated": _iso(account.now()),
        "brand_type": "STANDARD",
        "status": registration.brand_status,
        "tcr_id": "B000001",
        "failure_reason": registration.brand_failure,
        "errors": [],
        "url": f"https://messaging.twilio.com/v1/a2p/BrandRegistrations/{sid}",
        "brand_score": 75,
        "brand_feedback": [],
        "identity_status": "VERIFIED",
        "russell_3000": False,
        "government_entity": False,
        "tax_exempt_status": "",
        "skip_automatic_sec_vet": False,
        "mock": False,
        "links": {},
    }


def _iso(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
