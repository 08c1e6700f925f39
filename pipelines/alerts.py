"""Tells people that something needs them: by e-mail, and by a webhook in the forms of WeCom and DingTalk.

Belongs here: the channels and their forms. Not here: when somebody is told (run.py, assets/sensors.py). An alert that cannot be sent ends
nothing; what went wrong is returned, to be said and logged, without the address of a webhook, which is a secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import smtplib
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECONDS = 10
LONGEST = 1_200  # characters of a message: WeCom takes 4,096 bytes of Markdown, and a Chinese character has three

TITLES = {
    "failed": "运行失败 A run failed",
    "refused": "发布被拒绝 A release was refused",
    "held": "发布待确认 A release is held",
    "down": "来源不可用 A source does not answer",
    "late": "整改逾期 Departments are late",
}
Kind = Literal["failed", "refused", "held", "down", "late"]


class AlertSettings(BaseSettings):
    """Where alerts go. All of it comes from the environment, or a .env file that its owner alone may read."""

    model_config = SettingsConfigDict(env_prefix="MINGZHANG_ALERT_", env_file=".env", extra="ignore")

    webhook: SecretStr = Field(default=SecretStr(""), description="The address that an alert is posted to; a secret.")
    form: Literal["json", "wecom", "dingtalk"] = Field(
        default="json",
        description="The form it is posted in: `wecom` (企业微信群机器人), `dingtalk` (钉钉群机器人), or `json` with kind, title, text and home.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""), description="The key that a DingTalk robot's messages are signed with (加签)."
    )
    mail_to: Annotated[list[str], NoDecode] = Field(
        default=[], description="Addresses that an alert is mailed to, one to a line."
    )
    mail_from: str = Field(default="", description="The sender of these mails; empty: the first of the addresses.")
    smtp: str = Field(
        default="smtp://localhost",
        description="The mail server: `smtps://user@host:465`, or `smtp://user@host:587`, which turns to TLS before it sends a password.",
    )
    smtp_password: SecretStr = Field(default=SecretStr(""), description="The password of the user in `smtp`.")

    @field_validator("mail_to", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [v for v in value.split("\n") if v] if isinstance(value, str) else value


@dataclass(frozen=True)
class Alert:
    """What happened, in a few sentences; `home` says on which platform."""

    kind: Kind
    text: str
    home: str

    @property
    def title(self) -> str:
        return f"明账 Mingzhang: {TITLES[self.kind]}"

    @property
    def short(self) -> str:
        return self.text if len(self.text) <= LONGEST else self.text[:LONGEST] + " …"


def has_channel() -> bool:
    """Whether any channel is set."""
    to = AlertSettings()
    return bool(to.webhook.get_secret_value() or to.mail_to)


def send(alert: Alert, settings: AlertSettings | None = None) -> list[str]:
    """Sends an alert over every channel that is set; returns a sentence for each that failed."""
    to = settings or AlertSettings()
    channels: list[tuple[str, Callable[[Alert, AlertSettings], None]]] = []
    if to.webhook.get_secret_value():
        channels.append((f"the webhook ({to.form})", _post))
    if to.mail_to:
        channels.append((f"mail over {urllib.parse.urlsplit(to.smtp).hostname}", _mail))
    failed = []
    for name, channel in channels:
        try:
            channel(alert, to)
        except Exception as e:  # noqa: BLE001 (an alert ends nothing)
            failed.append(
                f"The alert '{alert.title}' could not be sent by {name} ({_why(e, to)}); check MINGZHANG_ALERT_*."
            )
    return failed


def body(alert: Alert, form: str) -> dict[str, Any]:
    """What is posted: https://developer.work.weixin.qq.com/document/path/91770 and
    https://open.dingtalk.com/document/robots/custom-robot-access have the two robots' forms."""
    markdown = f"### {alert.title}\n\n{alert.short}\n\n> {alert.home}"
    if form == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": markdown}}
    if form == "dingtalk":
        return {"msgtype": "markdown", "markdown": {"title": alert.title, "text": markdown}}
    return {"kind": alert.kind, "title": alert.title, "text": alert.text, "home": alert.home}


def signed(address: str, secret: str, milliseconds: int) -> str:
    """A DingTalk robot's address with the moment and its signature: HMAC-SHA256 of both, in base64."""
    code = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    sign = urllib.parse.quote_plus(base64.b64encode(code))
    return f"{address}{'&' if '?' in address else '?'}timestamp={milliseconds}&sign={sign}"


def _post(alert: Alert, to: AlertSettings) -> None:
    import httpx

    address, secret = to.webhook.get_secret_value(), to.secret.get_secret_value()
    if to.form == "dingtalk" and secret:
        address = signed(address, secret, int(time.time() * 1000))
    answer = httpx.post(address, json=body(alert, to.form), timeout=SECONDS)
    answer.raise_for_status()
    if to.form != "json":  # both robots answer 200 to what they refuse
        found = answer.json()
        if found.get("errcode"):
            raise OSError(f"{found.get('errcode')} {found.get('errmsg')}")


def _mail(alert: Alert, to: AlertSettings) -> None:
    message = EmailMessage()
    message["From"], message["To"] = to.mail_from or to.mail_to[0], ", ".join(to.mail_to)
    message["Subject"] = alert.title
    message.set_content(f"{alert.text}\n\n{alert.home}\n")
    server = urllib.parse.urlsplit(to.smtp)
    host, password = server.hostname or "localhost", to.smtp_password.get_secret_value()
    secure = server.scheme == "smtps"
    start = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with start(host, server.port or (465 if secure else 25), timeout=SECONDS) as smtp:
        if not secure and smtp.has_extn("starttls"):
            smtp.starttls()
            secure = True
        if server.username and password:
            if not secure and host not in ("localhost", "127.0.0.1", "::1"):
                raise OSError("the server has no TLS, and a password is not sent without")
            smtp.login(urllib.parse.unquote(server.username), password)
        smtp.send_message(message)


def _why(e: Exception, to: AlertSettings) -> str:
    """What went wrong, without a secret: an error of HTTP repeats the address."""
    said = " ".join(str(e).split())[:200] or type(e).__name__
    address = to.webhook.get_secret_value()
    return type(e).__name__ if address and (address in said or urllib.parse.urlsplit(address).path in said) else said
