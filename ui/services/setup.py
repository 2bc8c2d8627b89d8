"""The model and the embedder, as whoever runs Readback for themselves chooses, tries and changes them."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import SecretStr, ValidationError

from rag.errors import SettingsError
from rag.settings import MODEL_VARIABLES, Settings, decided_by_environment, explain, read_chosen, write_chosen

if TYPE_CHECKING:
    from ui.services import Services

TEST_TOKENS = 16
TEST_S = 20.0  # how long a test waits for the model


@dataclass(frozen=True, slots=True)
class Choice:
    """What was typed. An empty key is the one in use, as long as it goes to the same address."""

    base_url: str = ""  # empty: OpenAI, if there is a key
    key: str = ""
    model: str = ""
    embedder: str = ""


class Setup:
    """Tries a choice, and puts it into force. What the environment decides cannot be chosen."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def model_decided(self) -> bool:
        """Whether the environment names the model."""
        return decided_by_environment(*MODEL_VARIABLES)

    @property
    def embedder_decided(self) -> bool:
        """Whether the environment names the embedder."""
        return decided_by_environment("READBACK_EMBED_MODEL")

    def try_model(self, choice: Choice) -> str:
        """Have the model say one word, and tell how that went. Raises SettingsError or ProviderError."""
        from rag.chat_model import OpenAIChat, complete
        from rag.ports import Message

        settings = self._settings(choice).model_copy(update={"timeout_s": TEST_S, "retries": 0})
        if not settings.has_model:
            raise SettingsError("Name the address of a server, or a key of OpenAI's.")
        began = perf_counter()
        _, usage = complete(
            OpenAIChat.from_settings(settings), [Message(role="user", content="Say: ready")], TEST_TOKENS
        )
        return (
            f"{settings.chat_model} answers: {usage.completion_tokens} tokens in {perf_counter() - began:.1f} seconds."
        )

    def try_embedder(self, choice: Choice) -> str:
        """Embed one sentence, and tell how that went. Raises SettingsError or ProviderError."""
        from rag.embed import open_embedder

        embedder = open_embedder(self._settings(choice))
        began = perf_counter()
        embedder.embed(["One sentence."], "document")
        return f"{embedder.name} works: {embedder.dimension} dimensions, {(perf_counter() - began) * 1000:.0f} ms."

    def save(self, choice: Choice) -> bool:
        """Keep the choice, and have the next answers written by its model. Returns whether its embedder differs.

        Another embedder is used once everything has been embedded anew. Raises SettingsError.
        """
        before, settings = self._services.settings, self._settings(choice)
        key = settings.openai_api_key
        chosen = {
            "openai_base_url": settings.openai_base_url or "",
            "openai_api_key": key.get_secret_value() if key else "",
            "chat_model": settings.chat_model,
            "embed_model": settings.embed_model,
        }
        if self.model_decided:
            chosen = read_chosen(settings.data_dir) | {"embed_model": settings.embed_model}
        write_chosen(settings.data_dir, chosen)
        self._services.use(settings.model_copy(update={"embed_model": before.embed_model}))
        return settings.embed_model != before.embed_model

    def _settings(self, choice: Choice) -> Settings:
        now = self._services.settings
        values = now.model_dump()
        if not self.model_decided:
            url = choice.base_url.strip() or None
            if choice.key.strip():
                key: SecretStr | None = SecretStr(choice.key.strip())
            else:  # a key that is kept must not travel to another address
                key = now.openai_api_key if url == now.openai_base_url else None
            model = choice.model.strip() or Settings.model_fields["chat_model"].default
            values |= {"openai_base_url": url, "openai_api_key": key, "chat_model": model}
        if not self.embedder_decided and choice.embedder.strip():
            values["embed_model"] = choice.embedder.strip()
        try:
            return Settings(_env_file=None, **values)  # type: ignore[call-arg]  # pydantic-settings takes it
        except ValidationError as error:
            raise SettingsError(explain(error)) from None  # the original repeats the input, which may be a key
