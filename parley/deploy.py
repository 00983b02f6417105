"""From a checkout to a running stage: build, upload, show the change set, carry it out.

The embedded hub is deployed by the same code; only the endpoint differs.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from infra.build import ROOT, BuildFailed, Built, build
from infra.layer import LayerFailed
from infra.target import CURRENT, HOST, Arch, NoInterpreter
from parley.artifacts import Artifacts
from parley.cloud import Cloud, cloud
from parley.emulator import emulated
from parley.screen import Failure, Misused, Say, Unready, silent
from parley.stack import Change

STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")
Confirm = Callable[[Sequence[Change]], bool]


class Declined(Failure):
    """The operator looked at the change set and said no; nothing was changed."""


@dataclass(frozen=True)
class Outputs:
    """What the stack says of itself. `left_out` are logical ids that the endpoint cannot make."""

    values: Mapping[str, str]
    api_url: str
    public_url: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    changes: Sequence[Change] = ()

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def webhooks(self, names: Iterable[str]) -> dict[str, str]:
        """Channel → the URL that its platform posts to."""
        return {name: f"{self.public_url or self.api_url}/webhooks/{name}" for name in names}


def deploy(
    stage: str,
    *,
    endpoint_url: str | None = None,
    parameters: Mapping[str, str] | None = None,
    confirm: Confirm = lambda _: True,
    progress: Say = silent,
    built: Built | None = None,
    python: str = CURRENT,
    arch: Arch | None = None,
) -> Outputs:
    """Bring the stack `parley-<stage>` to what this checkout says.

    `parameters` are the template's; one that is not given keeps the stack's value. `built` skips
    the build. Raises Misused, Unready (credentials, region, a busy stack, pip), Declined, or
    Failure with CloudFormation's reasons; each names the next command.
    """
    _require(stage, endpoint_url, parameters or {})
    with _told():
        where = cloud(endpoint_url)
        into = where.artifacts()  # first, because it needs credentials and a build takes seconds
        made = built or _build(stage, python, arch or _arch(stage), progress)
        named = {**(parameters or {}), "Stage": stage}
        return _Deployment(where, into, stage, progress).run(made, named, confirm)


@dataclass(frozen=True)
class _Deployment:
    cloud: Cloud
    artifacts: Artifacts
    stage: str
    say: Say

    def run(self, built: Built, parameters: Mapping[str, str], confirm: Confirm) -> Outputs:
        """Upload, propose, ask, carry out."""
        stack = self.cloud.stack(self.stage)
        template = json.loads(built.sam.read_text("utf-8"))
        left_out: dict[str, str] = {}
        if self.cloud.endpoint_url:
            template, left_out = emulated(template, parameters)
        self.say("uploading")
        uploaded = self.artifacts.put(template, built.bundle, stack.name)
        self.say("working out the change set")
        change_set = stack.propose(uploaded, parameters, set(template["Parameters"]))
        if changes := stack.changes(change_set):
            if not confirm(changes):
                stack.discard(change_set)
                raise Declined("nothing was changed")
            stack.execute(change_set, self.say)
        values, kept = stack.outputs(), stack.parameters()
        url = self.cloud.api_url(values)
        return Outputs(values, url, kept.get("PublicUrl", ""), left_out, changes)


def _require(stage: str, endpoint_url: str | None, parameters: Mapping[str, str]) -> None:
    if not STAGE.fullmatch(stage):
        raise Misused(f"stage {stage!r}: a letter, then up to 15 of a-z, 0-9 and -")
    if stage == "local" and not endpoint_url:
        raise Misused("stage local lives on this machine only", "parley serve")
    if stage != "local" and parameters.get("OutboundBase"):
        raise Misused("only stage local may send its calls, and their tokens, elsewhere")


def _arch(stage: str) -> Arch:
    if stage == "local":
        return HOST
    config = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    arch: Arch = config["lambda_architecture"]
    return arch


def _build(stage: str, python: str, arch: Arch, say: Say) -> Built:
    out = ROOT / "build" / stage
    try:
        return build(stage=stage, out=out, python=python, arch=arch, progress=say)
    except (LayerFailed, NoInterpreter) as error:
        raise Unready(str(error), "parley doctor") from error
    except BuildFailed as error:
        raise Failure(str(error), "make lint test") from error


@contextmanager
def _told() -> Iterator[None]:
    """Say what AWS refused in words that name the next command."""
    try:
        yield
    except NoCredentialsError as error:
        raise Unready("no AWS credentials", "aws configure") from error
    except ClientError as error:
        raise Failure(f"AWS refused: {error}", "aws sts get-caller-identity") from error
    except BotoCoreError as error:
        raise Unready(f"AWS could not be reached: {error}", "parley doctor") from error
