"""A phone that keeps a passkey, in software: it answers a browser's questions as WebAuthn says, and can be made to lie."""

import hashlib
import json
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url as encode


class Phone:
    """One key. `uses` counts up; `origin` is what the browser says it is at."""

    def __init__(self, origin: str = "https://engage.example.org") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.uses, self.origin = b"a credential's id", 0, origin

    def make(self, options: dict[str, Any]) -> str:
        """The answer to navigator.credentials.create."""
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        kept = b"\0" * 16 + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        data = self._data(options["rp"]["id"], 0x45) + kept
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = {
            "clientDataJSON": encode(self._client("webauthn.create", options)),
            "attestationObject": encode(attested),
        }
        return self._answer(said)

    def sign(self, options: dict[str, Any]) -> str:
        """The answer to navigator.credentials.get."""
        self.uses += 1
        data, client = self._data(options["rpId"], 0x05), self._client("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer({name: encode(value) for name, value in said.items()})

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.uses)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _answer(self, said: dict[str, str]) -> str:
        return json.dumps({"id": encode(self.id), "rawId": encode(self.id), "type": "public-key", "response": said})
