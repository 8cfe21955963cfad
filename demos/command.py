"""`faceforge demo`: the studio in a browser."""

from __future__ import annotations

import click

from faceforge.errors import MissingPackage


@click.command()
@click.option(
    "--model", default="warp", show_default=True, metavar="NAME|FOLDER|HUB_ID", help="What makes the pictures."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(1, 65535))
@click.option("--root-path", default="", metavar="PATH", help="Where a proxy serves it, as /studio.")
@click.option("--auth", metavar="USER:PASSWORD", help="Ask everyone for these first.")
@click.option("--browser", is_flag=True, help="Open a browser window on it.")
def command(model: str, host: str, port: int, root_path: str, auth: str | None, browser: bool) -> None:
    """Open the studio: sliders that move a face, in a browser, offline.

    \b
    Examples:
      faceforge demo
      faceforge demo --model magicface
      faceforge demo --port 8000 --auth ada:secret --host 0.0.0.0
    """
    if auth is not None and not all(auth.partition(":")):
        raise click.BadParameter(f"{auth!r} is not USER:PASSWORD.", param_hint="--auth")
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise MissingPackage('The studio needs Gradio. Get it with: pip install "faceforge[demo]"') from None
    from faceforge_demos.studio import serve

    user, _, password = (auth or "").partition(":")
    serve(
        model=model, host=host, port=port, root_path=root_path, auth=(user, password) if auth else None, browser=browser
    )
