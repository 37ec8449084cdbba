"""A mail server for the tests: it wants TLS and a password, and prints each mail that it took as a line of JSON."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

encryption, certificate, key, password = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(
            json.dumps(
                {
                    "rcpt": envelope.rcpt_tos,
                    "from": mail["from"],
                    "subject": mail["subject"],
                    "message_id": mail["message-id"],
                    "body": mail.get_content(),
                    "secure": session.ssl is not None or encryption == "tls",
                    "defects": [str(defect) for defect in mail.defects],
                }
            ),
            flush=True,
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, auth_data):
    # Otherwise the server would take it that this function has answered.
    return AuthResult(success=auth_data.password == password.encode(), handled=False)


def protocol():
    return SMTP(
        Handler(),
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=encryption == "starttls",
        require_starttls=encryption == "starttls",
        tls_context=context if encryption == "starttls" else None,
    )


async def serve():
    secure = context if encryption == "tls" else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=secure)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until the test closes its end.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
