import json
import shutil
import zipfile
from pathlib import Path

import pytest

from infra import archive, layer
from infra.build import ROOT, BuildFailed, Built, build, code_zip, dependencies
from infra.check import LIMIT, check, check_imports, handlers
from infra.layer import LayerFailed
from infra.target import CURRENT, NoInterpreter, Target, interpreter

UNCHECKED_HASH = (1).to_bytes(4, "little")


def names(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as packed:
        return packed.namelist()


def without(bundle: Path, prefix: str, out: Path) -> Path:
    """The same bundle with everything below `prefix` gone."""
    with zipfile.ZipFile(bundle) as whole, zipfile.ZipFile(out, "w") as rest:
        for entry in whole.infolist():
            if not entry.filename.startswith(prefix):
                rest.writestr(entry, whole.read(entry))
    return out


def test_building_twice_gives_the_same_bytes(built: Built, tmp_path: Path) -> None:
    again = build(stage="local", out=tmp_path)

    assert again.bundle.read_bytes() == built.bundle.read_bytes()
    assert again.sam.read_bytes() == built.sam.read_bytes()


def test_new_code_in_an_old_layer_is_the_bundle_that_a_build_makes(
    built: Built, tmp_path: Path
) -> None:
    assert code_zip(tmp_path / "code.zip").read_bytes() == built.bundle.read_bytes()


def test_dependencies_compiled_and_packed_anew_are_the_same_to_the_byte(tmp_path: Path) -> None:
    kept = dependencies(ROOT, Target(native=True))
    sources = shutil.ignore_patterns("__pycache__")
    shutil.copytree(kept.folder, tmp_path / "elsewhere" / "python", ignore=sources)
    archive.compile_tree(tmp_path / "elsewhere" / "python", CURRENT)
    archive.write(tmp_path / "anew.zip", archive.tree(tmp_path / "elsewhere" / "python"))

    assert (tmp_path / "anew.zip").read_bytes() == kept.zip.read_bytes()


def test_the_bundle_stays_below_its_limit(built: Built) -> None:
    assert built.bundle.stat().st_size <= LIMIT


def test_a_bundle_above_the_limit_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(LIMIT + 1)

    with pytest.raises(BuildFailed, match="the limit is 16,000,000"):
        check(large, [], Target())


def test_every_handler_of_the_template_imports_from_the_bundle_alone(built: Built) -> None:
    found = handlers(built.sam)

    assert "app.app" in found
    assert len(found) >= 12
    check_imports(built.bundle, found, interpreter(CURRENT))


def test_a_bundle_that_was_pruned_too_far_is_refused(built: Built, tmp_path: Path) -> None:
    broken = without(built.bundle, "jmespath/", tmp_path / "broken.zip")

    with pytest.raises(BuildFailed, match="No module named 'jmespath'"):
        check_imports(broken, ["app.app"], interpreter(CURRENT))


def test_every_service_the_hub_speaks_to_has_kept_its_model(built: Built, tmp_path: Path) -> None:
    probe = "import boto3\ndef made(): ...\n"
    probe += "".join(f"boto3.client({service!r})\n" for service in sorted(layer.SERVICES))
    probed = tmp_path / "probed.zip"
    shutil.copy(built.bundle, probed)
    with zipfile.ZipFile(probed, "a") as bundle:
        bundle.writestr("probe.py", probe)

    check_imports(probed, ["probe.made"], interpreter(CURRENT))


def test_only_what_runs_is_shipped(built: Built) -> None:
    shipped = names(built.bundle)
    models = {name.split("/")[2] for name in shipped if name.startswith("botocore/data/")}

    assert {name for name in models if "." not in name} == layer.SERVICES
    assert not [name for name in shipped if ".dist-info/" in name or "/tests/" in name]
    assert {name.split("/")[0] for name in shipped}.isdisjoint(
        {"pytest", "moto", "typer", "rich", "pip", "setuptools", "infra", "parley", "events"}
    )


def test_every_module_comes_with_bytecode_that_a_read_only_folder_can_use(built: Built) -> None:
    with zipfile.ZipFile(built.bundle) as bundle:
        shipped = bundle.namelist()
        for name in shipped:
            if name.endswith(".py"):
                folder, _, module = name.rpartition("/")
                cached = (
                    f"{folder}/__pycache__/{module[:-3]}.cpython-{CURRENT.replace('.', '')}.pyc"
                )
                assert bundle.read(cached.lstrip("/"))[4:8] == UNCHECKED_HASH, name


def test_another_architecture_gets_its_own_binaries() -> None:
    made = dependencies(ROOT, Target(arch="arm64"))

    assert list(made.folder.rglob("*aarch64*.so"))
    assert not list(made.folder.rglob("*x86_64*.so"))


def test_what_a_dependency_brings_must_be_pinned_too(tmp_path: Path) -> None:
    asked = tmp_path / "requirements.txt"
    asked.write_text("python-dateutil==2.9.0.post0\n")

    with pytest.raises(LayerFailed, match=r"pin what else ships in requirements\.txt: six"):
        layer.layer(asked, Target(native=True), tmp_path)


def test_a_dependency_that_does_not_exist_says_so(tmp_path: Path) -> None:
    asked = tmp_path / "requirements.txt"
    asked.write_text("boto3==0.0.0.dev999\n")

    with pytest.raises(LayerFailed, match=r"could not install requirements\.txt"):
        layer.layer(asked, Target(native=True), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["requirements.txt"]


def test_a_route_that_aws_would_refuse_fails_the_build(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "requirements.txt", root)
    shutil.copytree(ROOT / ".chalice", root / ".chalice")
    (root / "build").symlink_to(ROOT / "build")
    (root / "chalicelib").mkdir()
    (root / "app.py").write_text(
        "from chalice.app import Chalice\n"
        "app = Chalice(app_name='parley')\n"
        "app.route('/trailing/')(lambda: {})\n"
    )

    with pytest.raises(BuildFailed, match="trailing"):
        build(stage="local", out=tmp_path / "out", root=root)


def test_a_python_that_is_not_here_is_said_to_be_missing() -> None:
    with pytest.raises(NoInterpreter, match=r"no working python3\.99"):
        interpreter("3.99")


def test_the_stage_is_written_into_the_template(built: Built) -> None:
    assert json.loads(built.sam.read_text())["Parameters"]["Stage"]["Default"] == "local"
