"""The web front end's entry: shows the page at once, loads the assistant behind it. Run `python app.py`."""

from __future__ import annotations

from assistant.settings import Settings

MOST_UPLOADED = "64mb"
"""Size of an uploaded file that reaches us at all; a smaller limit of our own is told in a sentence."""


def main(settings: Settings | None = None, *, block: bool = True) -> str:
    """Serve the page on loopback and return its address.

    Args:
        settings: The settings; read from the environment when not given.
        block: Whether to serve until interrupted.
    """
    from assistant.web.page import CSS, build_page  # noqa: PLC0415 (gradio, only when serving)
    from assistant.web.turns import AssistantHolder  # noqa: PLC0415 (as above)

    used = settings or Settings()
    holder = AssistantHolder(used)
    page = build_page(holder, None if used.language == "auto" else used.language)
    _, address, _ = page.queue(default_concurrency_limit=16).launch(
        server_name=used.host,
        server_port=used.port or None,
        share=False,
        max_file_size=MOST_UPLOADED,
        prevent_thread_lock=True,
        css=CSS,
        footer_links=[],
        show_error=False,
        run_history=False,
    )
    holder.start()
    if block:
        page.block_thread()
    return address


if __name__ == "__main__":
    main()
