"""`faceforge convert`: a published release becomes a saved model, and a published head model one file."""

from __future__ import annotations

from pathlib import Path

import click

from faceforge.cli.heads import HEADS, convert_head
from faceforge.cli.sections import Command, option
from faceforge.errors import BadSpec, BadWeights, nearest

HEADS_SECTION = "Of head models"


@click.command(cls=Command)
@click.argument("release", metavar="RELEASE")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER...")
@option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The saved model to write; an existing one of FaceForge's is replaced, anything else is left alone. "
    "For a head, the .safetensors file.",
)
@option("--base", default="", metavar="FOLDER|HUB_ID", help="Stock parts, instead of those the release names.")
@option(
    "--licence-note", default="", metavar="TEXT", section=HEADS_SECTION, help="What lets you use it; kept in the file."
)
@option("--part", "parts", multiple=True, metavar="NAME", section=HEADS_SECTION, help="Of ict: only this part; repeat.")
def command(
    release: str, folders: tuple[Path, ...], output: Path, base: str, licence_note: str, parts: tuple[str, ...]
) -> None:
    """Read a published RELEASE out of local FOLDERs into a saved model that every command can load.

    \b
    Examples:
      faceforge convert magicface downloads/magicface -o models/magicface
      faceforge edit ada.png --model models/magicface --picture background=pose.png --au AU12=2 -o ada-smiling.png
      faceforge convert flame flame2023_Open.pkl landmark_embedding.npy -o flame.safetensors --licence-note "CC BY 4.0"
      faceforge convert ict ICT-FaceKit -o ict.safetensors

    Every tensor of every file is accounted for, or the release is refused. Nothing in a file is executed.
    RELEASE is a name that `faceforge plugins info NAME` shows; the layout is the one its authors published.

    Head models become one .safetensors file, and a .json that says where it came from. For flame, name the FILEs that
    you downloaded instead of folders: the model, and of landmark_embedding.npy, head_template.obj (texture
    coordinates), FLAME_masks.pkl, mediapipe_landmark_embedding.npz, the two eyelids and a table of action units those
    you have. FLAME needs a registration at https://flame.is.tue.mpg.de: FLAME 2023 Open has an open licence, FLAME
    2020 the coefficients of RigFace and MagicPortrait. For ict, name the folder of ICT-FaceKit.
    """
    if release in HEADS:
        if base:
            raise BadSpec(f"A head has no stock parts. Leave out --base {base!r}.")
        convert_head(release, folders, output, licence_note, parts)
    elif licence_note or parts:
        raise BadSpec("--licence-note and --part are for heads. Leave them out, or convert flame or ict.")
    else:
        _convert_release(release, folders, output, base)


def _convert_release(release: str, folders: tuple[Path, ...], output: Path, base: str) -> None:
    from faceforge.cli.releases import check_base, published
    from faceforge.cli.terminal import hush
    from faceforge.io.files import replacing_folder

    known = published()
    if release not in known:
        raise BadWeights(f"No release is called {release!r}. {nearest(release, [*known, *HEADS])}")
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
