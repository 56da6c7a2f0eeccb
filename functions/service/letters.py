"""The mail that brings a customer our answer, in his language."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from oms.adapters.mail import Mail
from oms.domain.inquiries.model import Inquiry

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "subject": "Our answer about your order {number}",
        "no_order": "Our answer to your question",
        "dear": "Dear {name},",
        "hello": "Hello,",
        "reply": "To write back, answer this mail and leave its subject as it is.",
    },
    "fr": {
        "subject": "Notre réponse au sujet de votre commande {number}",
        "no_order": "Notre réponse à votre question",
        "dear": "Bonjour {name},",
        "hello": "Bonjour,",
        "reply": "Pour nous répondre, répondez à ce message sans changer son objet.",
    },
    "de": {
        "subject": "Unsere Antwort zu Ihrer Bestellung {number}",
        "no_order": "Unsere Antwort auf Ihre Frage",
        "dear": "Guten Tag {name},",
        "hello": "Guten Tag,",
        "reply": "Um uns zu schreiben, antworten Sie auf diese Mail und lassen den Betreff stehen.",
    },
    "es": {
        "subject": "Nuestra respuesta sobre su pedido {number}",
        "no_order": "Nuestra respuesta a su pregunta",
        "dear": "Hola, {name}:",
        "hello": "Hola:",
        "reply": "Para escribirnos, responda a este correo sin cambiar el asunto.",
    },
    "pt": {
        "subject": "A nossa resposta sobre a sua encomenda {number}",
        "no_order": "A nossa resposta à sua pergunta",
        "dear": "Olá, {name},",
        "hello": "Olá,",
        "reply": "Para nos escrever, responda a este e-mail sem mudar o assunto.",
    },
}


def mail_of(inquiry: Inquiry, said: str, number: str, name: str) -> Mail:
    """`number`: as the customer knows the order; its subject has what brings the reply here."""
    words = TEXTS.get(inquiry.language, TEXTS["en"])
    subject = words["subject"].format(number=number) if number else words["no_order"]
    greeting = words["dear"].format(name=name) if name else words["hello"]
    paragraphs = [greeting, *said.replace("\r\n", "\n").split("\n\n"), words["reply"]]
    return Mail(
        subject=f"{' '.join(subject.split())} [#{inquiry.reference}]",
        text="\n\n".join(paragraphs) + "\n",
        html=_html(inquiry.language, paragraphs),
    )


def _html(language: str, paragraphs: list[str]) -> str:
    inside = "".join(f"<p>{escape(each).replace(chr(10), '<br>')}</p>" for each in paragraphs)
    head = '<head><meta charset="utf-8"></head>'
    return f'<!doctype html><html lang="{language}">{head}<body>{inside}</body></html>'
