"""Chalice's own packaging, in a process of its own: the runtime it names is the one that runs it.

`chalice package` does not check routes and names; `chalice deploy` does. Here both are done.
"""

import os
import sys
from pathlib import Path

from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.constants import DEFAULT_STAGE_NAME
from chalice.deploy.validate import validate_configuration


def package(project: Path, stage: str, arch: str, merge: Path, out: Path) -> None:
    """Write `sam.json` and `deployment.zip` of `project` into `out`.

    Raises ValueError when a route, a name or a setting is one that AWS would refuse.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # Chalice asks; nothing depends on it
    os.chdir(project)  # `app.py` is loaded as a deployed function would see it
    factory = CLIFactory(str(project))
    config: Config = factory.create_config_obj(
        stage or DEFAULT_STAGE_NAME, user_provided_params={"lambda_architecture": arch}
    )
    validate_configuration(config)
    packager = factory.create_app_packager(
        config, factory.create_package_options(), "cloudformation", "json", str(merge)
    )
    packager.package_app(config, str(out), stage)


if __name__ == "__main__":
    project, stage, arch, merge, out = sys.argv[1:]
    package(Path(project), stage, arch, Path(merge), Path(out))
