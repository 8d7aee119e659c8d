"""Published Kinetics-400 networks: mmaction2, PySlowFast, video-nonlocal-net, TSM, gluon-cv.

Accuracies, links and protocols are those of the publishers' pages.
"""

from collections.abc import Mapping

from models.zoo.published_row import Published, Url

_NL = "Wang et al. 2018 (NL)"
_PAPERS = {
    "i3d": "Carreira and Zisserman 2017 (I3D)",
    "c2d": _NL,
    "tsm": "Lin et al. 2019 (TSM)",
    "slowonly": "Feichtenhofer et al. 2019 (SlowFast)",
}
_NETWORKS = {"i3d": "I3D", "c2d": "C2D", "tsm": "TSM", "slowonly": "SlowOnly"}
_LICENCES = {
    "mmaction2": "Apache-2.0",
    "mmaction2 0.x": "Apache-2.0",
    "PySlowFast": "Apache-2.0",
    "video-nonlocal-net": "CC-BY-NC-4.0",
    "TSM (MIT)": "MIT",
    "gluon-cv": "Apache-2.0",
}
_SEGMENTS = "8 segments x 1 frame, 224 px"
"""mmaction2's TSM takes one frame from each of 8 equal parts of a video."""


def _row(
    name: str, family: str, title: str, accuracy: str, clip: str, url: Url,
    answers: Mapping[str, str], caution: str = "",
) -> Published:  # fmt: skip
    """Return one row; ``clip`` is FRAMESxSTRIDE, or FRAMES alone where they are segments."""
    network = name.split("-")[1]
    frames, _, apart = clip.partition("x")
    clip_answers = {"frames": frames} | ({"frame_stride": apart} if apart else {})
    return Published(
        name,
        title,
        family,
        _NL if "NL" in title else _PAPERS[network],
        "Kinetics-400",
        accuracy,
        f"{frames} x {apart} frames, 224 px" if apart else _SEGMENTS,
        url,
        "kinetics-400",
        _LICENCES[family],
        clip_answers | answers,
        caution=caution,
    )


_MMACTION_URL = "https://download.openmmlab.com/mmaction/"
_SLIP = (
    "The publisher gives this hash for the network without NL blocks, too; one link may be wrong. "
    "The inspection shows which one arrived."
)
_MMACTION = (
    # network, function, clip, name of the file, date-hash, top-1 / top-5
    ("i3d", "dot_product", "32x2", "i3d_imagenet-pretrained-r50-nl-dot-product_8xb8-32x2x1-100e",
     "20220812-8e1f2148", "74.80 / 92.07"),
    ("i3d", "embedded_gaussian", "32x2",
     "i3d_imagenet-pretrained-r50-nl-embedded-gaussian_8xb8-32x2x1-100e",
     "20220812-afd8f562", "74.73 / 91.80"),
    ("i3d", "gaussian", "32x2", "i3d_imagenet-pretrained-r50-nl-gaussian_8xb8-32x2x1-100e",
     "20220812-0c5cbf5a", "73.97 / 91.33"),
    ("i3d", "", "32x2", "i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e",
     "20220812-e213c223", "73.47 / 91.27"),
    ("tsm", "dot_product", "8", "tsm_imagenet-pretrained-r50-nl-dot-product_8xb16-1x1x8-50e",
     "20220831-108bfde5", "74.49 / 91.15"),
    ("tsm", "gaussian", "8", "tsm_imagenet-pretrained-r50-nl-gaussian_8xb16-1x1x8-50e",
     "20220831-7e54dacf", "73.66 / 90.99"),
    ("tsm", "embedded_gaussian", "8",
     "tsm_imagenet-pretrained-r50-nl-embedded-gaussian_8xb16-1x1x8-50e",
     "20220831-35eddb57", "74.34 / 91.23"),
    ("tsm", "", "8", "tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e",
     "20220831-64d69186", "73.18 / 90.56"),
    ("slowonly", "embedded_gaussian", "4x16",
     "slowonly_r50-in1k-pre-nl-embedded-gaussian_8xb16-4x16x1-steplr-150e",
     "20220901-cf739c75", "75.07 / 91.69"),
    ("slowonly", "embedded_gaussian", "8x8",
     "slowonly_r50-in1k-pre-nl-embedded-gaussian_8xb16-8x8x1-steplr-150e",
     "20220901-df42dc84", "76.65 / 92.47"),
)  # fmt: skip
_MMACTION_0 = (
    ("i3d", "embedded_gaussian", "32x2", "32x2x1_100e", "20200813-6e6aef1b", "74.71 / 91.81"),
    ("i3d", "gaussian", "32x2", "32x2x1_100e", "20200815-17f84aa2", "73.37 / 91.26"),
    ("i3d", "dot_product", "32x2", "32x2x1_100e", "20200814-7c30d5bb", "73.92 / 91.59"),
    ("tsm", "embedded_gaussian", "8", "1x1x8_50e", "20200724-f00f1336", "72.03 / 90.25"),
    ("tsm", "gaussian", "8", "1x1x8_50e", "20200816-b93fd297", "70.70 / 89.90"),
    ("tsm", "dot_product", "8", "1x1x8_50e", "20200724-d8ad84d2", "71.60 / 90.34"),
    ("slowonly", "embedded_gaussian", "4x16", "4x16x1_150e", "20210308-0d6e5a69", "74.54 / 91.73"),
    ("slowonly", "embedded_gaussian", "8x8", "8x8x1_150e", "20210308-e8dd9e82", "76.07 / 92.42"),
)


def _mmaction(
    family: str, network: str, function: str, clip: str, path: str, digest: str, accuracy: str
) -> Published:
    answers = {"function": function} if function else {}
    if function in ("embedded_gaussian", "dot_product"):
        answers["scale"] = "yes" if network == "slowonly" else "no"
    series = "mmaction0" if family.endswith("0.x") else "mmaction"
    parts = (series, network, "nl" if function else "", function.replace("_", "-"), clip)
    return _row(
        "-".join(filter(None, parts)),
        family,
        f"{_NETWORKS[network]} R50"
        + (f" + 5 NL, {function.replace('_', ' ')}" if function else ""),
        accuracy,
        clip,
        Url(f"{_MMACTION_URL}{path}_{digest}.pth", digest.partition("-")[2]),
        answers,
        _SLIP if digest.endswith("df42dc84") else "",
    )


def _first_path(network: str, name: str) -> str:
    return f"v1.0/recognition/{network}/{name}_kinetics400-rgb/{name}_kinetics400-rgb"


def _old_path(network: str, function: str, rest: str) -> str:
    name = f"{network}_nl_{function}_r50_{rest}_kinetics400_rgb"
    return f"recognition/{network}/{name}/{name}"


MMACTION = tuple(
    _mmaction("mmaction2", network, function, clip, _first_path(network, name), digest, accuracy)
    for network, function, clip, name, digest, accuracy in _MMACTION
) + tuple(
    _mmaction(
        "mmaction2 0.x", network, function, clip, _old_path(network, function, rest), digest, top
    )
    for network, function, clip, rest, digest, top in _MMACTION_0
)

_ZOO = "https://dl.fbaipublicfiles.com/pyslowfast/model_zoo/kinetics400/"
_NO_POOL = (
    "Published when its configuration did not halve time after res2; today's configuration does. "
    "It is read without."
)
PYSLOWFAST = tuple(
    _row(name, "PySlowFast", title, accuracy, "8x8", Url(f"{_ZOO}{file}.pkl"), answers, caution)
    for name, title, file, accuracy, answers, caution in (
        ("pyslowfast-i3d-nl-8x8", "I3D R50 + 5 NL", "I3D_NLN_8x8_R50", "74.0 / 91.1",
         {"architecture": "pyslowfast", "function": "embedded_gaussian"}, ""),
        ("pyslowfast-i3d-8x8", "I3D R50", "I3D_8x8_R50", "73.5 / 90.8",
         {"architecture": "pyslowfast"}, ""),
        ("pyslowfast-c2d-8x8", "C2D R50, time not pooled", "C2D_NOPOOL_8x8_R50", "67.2 / 87.8",
         {"architecture": "pyslowfast-nopool"}, _NO_POOL),
    )
)  # fmt: skip

_FACEBOOK_URL = "https://dl.fbaipublicfiles.com/video-nonlocal/"
_FACEBOOK = (
    # file, top-1 / top-5; its name holds the rest
    ("c2d_baseline_32x2_IN_pretrain_400k", "72.0 / 90.0"),
    ("c2d_nonlocal_32x2_IN_pretrain_400k", "73.9 / 91.0"),
    ("i3d_baseline_32x2_IN_pretrain_400k", "73.6 / 90.8"),
    ("i3d_nonlocal_32x2_IN_pretrain_400k", "74.9 / 91.6"),
    ("i3d_baseline_128x1_I3D_pretrain_400k", "75.2 / 92.0"),
    ("i3d_nonlocal_128x1_I3D_pretrain_400k", "76.5 / 92.7"),
    ("c2d_baseline_8x8_IN_pretrain_400k", "71.9 / 90.0"),
    ("c2d_nonlocal_8x8_IN_pretrain_400k", "74.4 / 91.4"),
    ("i3d_baseline_8x8_IN_pretrain_400k", "73.4 / 90.9"),
    ("i3d_nonlocal_8x8_IN_pretrain_400k", "74.7 / 91.6"),
    ("i3d_baseline_32x4_I3D_pretrain_400k", "75.5 / 92.0"),
    ("i3d_nonlocal_32x4_I3D_pretrain_400k", "76.5 / 92.6"),
    ("i3d_baseline_8x8_IN_pretrain_300k", "73.2 / 90.8"),
    ("i3d_baseline_8x8_IN_pretrain_600k_4gpu", "73.0 / 90.4"),
    ("i3d_baseline_8x8_IN_pretrain_300k_4gpu", "72.0 / 90.1"),
)
_FIRST_ARCHITECTURE = ("32x2", "128x1")


def _facebook(file: str, accuracy: str) -> Published:
    network, kind, clip, *_, schedule = file.replace("_4gpu", "-4gpu").split("_")
    answers = {"architecture": "fb-org" if clip in _FIRST_ARCHITECTURE else "fb-new"}
    if kind == "nonlocal":
        answers["function"] = "embedded_gaussian"
    parts = ("fb", network, "nl" if kind == "nonlocal" else "", clip, schedule)
    return _row(
        "-".join(part for part in parts if part and part != "400k"),
        "video-nonlocal-net",
        f"{_NETWORKS[network]} R50"
        + (" + 5 NL" if kind == "nonlocal" else "")
        + (
            ""
            if schedule == "400k"
            else f", {schedule.replace('k', 'k iterations').replace('-', ', ')}"
        ),
        accuracy,
        clip,
        Url(f"{_FACEBOOK_URL}{file}.pkl"),
        answers,
    )


FACEBOOK = tuple(_facebook(*row) for row in _FACEBOOK)

_TSM_FILE = "TSM_kinetics_RGB_resnet50_shift8_blockres_avg_segment8_e100_dense"
_TSM_URL = f"https://hanlab18.mit.edu/projects/tsm/models/{_TSM_FILE}"
TSM = (
    _row("mit-tsm-nl-8x8", "TSM (MIT)", "TSM R50 + 5 NL, dense", "75.6 / not stated", "8x8",
         Url(f"{_TSM_URL}_nl.pth"), {}),
    _row("mit-tsm-8x8", "TSM (MIT)", "TSM R50, dense", "74.1 / not stated", "8x8",
         Url(f"{_TSM_URL}.pth"), {}),
)  # fmt: skip

_GLUON_URL = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/torch/models/"
GLUON = tuple(
    _row(
        f"gluon-i3d-nl{blocks}-r{depth}",
        "gluon-cv",
        f"I3D R{depth} + {placed} NL",
        f"{accuracy} / not stated",
        "32x2",
        Url(f"{_GLUON_URL}i3d_nl{blocks}_resnet{depth}_v1_kinetics400-{digest}.pth", digest),
        {},
    )
    for blocks, placed, depth, digest, accuracy in (
        (5, 5, 50, "9df1e103", "75.17"),
        (10, 10, 50, "281e1e8a", "75.93"),
        (5, 3, 101, "2cea8edd", "75.81"),
        (10, 10, 101, "526a2ed0", "75.93"),
    )
)

_AVA_URL = "https://download.openmmlab.com/mmaction/v1.0/detection/slowonly/"


def _ava(clip: str, precision: str, digest: str) -> Published:
    name = f"slowonly_kinetics400-pretrained-r50-nl_8xb16-{clip}x1-20e_ava21-rgb"
    frames, _, apart = clip.partition("x")
    return Published(
        f"mmaction-ava-slowonly-nl-{clip}",
        "SlowOnly R50 + 5 NL, embedded gaussian, actions of people",
        "mmaction2",
        _PAPERS["slowonly"],
        "AVA 2.1 mAP",
        f"{precision} / not stated",
        f"{frames} x {apart} frames, 256 px",
        Url(f"{_AVA_URL}{name}/{name}_20220906-{digest}.pth", digest),
        "ava-81",
        "Apache-2.0",
        {
            "frames": frames, "frame_stride": apart, "function": "embedded_gaussian",
            "scale": "yes",
        },
        caution="The accuracy is that of boxes of people which a detector found; none are in the "
        "file. Without boxes the whole picture counts as one person.",
    )  # fmt: skip


AVA = (_ava("4x16", "21.55", "5ae3f91b"), _ava("8x8", "23.77", "9760eadb"))
CLIPS = (*AVA, *MMACTION, *PYSLOWFAST, *FACEBOOK, *TSM, *GLUON)
