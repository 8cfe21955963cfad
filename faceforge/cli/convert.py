"""`faceforge convert`: a published release becomes a saved model."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.sections import Command, option


@click.command(cls=Command)
@click.argument("release", metavar="RELEASE")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER...")
@option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The saved model to write; an existing one of FaceForge's is replaced, anything else is left alone.",
)
@option("--base", default="", metavar="FOLDER|HUB_ID", help="Stock parts, instead of those the release names.")
def command(release: str, folders: tuple[Path, ...], output: Path, base: str) -> None:
    """Read a published RELEASE out of local FOLDERs into a saved model that every command can load.

    \b
    Examples:
      faceforge convert magicface downloads/magicface -o models/magicface
      faceforge convert fineface downloads/fineface --base models/sd21 -o models/fineface
      faceforge edit ada.png --model models/magicface --picture background=pose.png --au AU12=2 -o ada-smiling.png

    Every tensor of every file is accounted for, or the release is refused. Nothing in a file is executed.
    RELEASE is a name that `faceforge plugins info NAME` shows; the layout is the one its authors published.
    """
    from faceforge.cli.releases import check_base, published
    from faceforge.cli.terminal import hush
    from faceforge.errors import BadWeights, nearest
    from faceforge.io.files import replacing_folder

    known = published()
    if release not in known:
        raise BadWeights(f"No release is called {release!r}. {nearest(release, known)}")
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        raise BadWeights(f"There is no folder {str(missing[0])!r}. Give the one that holds the release's files.")
    if base:
        check_base(base)
    hush()
    from faceforge.models import convert, forged
    from faceforge.plugin import Files

    plugin, where = known[release]
    with replacing_folder(
        output
    ) as target:  # refuses a stranger's folder before the work, and leaves nothing half done
        try:
            made = convert(plugin.name, Files(folders), where.variant, base or where.base)
        except OSError as error:  # otherwise taken for a failure to write
            raise BadWeights(f"The release or its stock parts cannot be read: {error}. Download them again.") from error
        forged(made, name=release).save(target)
    click.echo(output)
    for line in made.report:
        click.echo(line)
    click.echo(f"licence of the weights: {plugin.weights.licence}")
