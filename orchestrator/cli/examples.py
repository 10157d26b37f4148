"""What `--help` shows by example. Every line is parsed by a test, so that none rots."""

PROGRAM = "python -m orchestrator"

SECTIONS = {
    "Ask": ("list", "plan", "sweep", "submit"),
    "Look": ("status", "report", "explain", "query", "ui"),
    "Prepare and mend": ("data", "new", "doctor", "sync"),
}
"""The commands as `--help` groups them, in the order in which one needs them."""

EXAMPLES = {
    "list": {
        "what can be asked, and every field": "list",
        "how large the encoders are": "list --models",
    },
    "plan": {
        "the trials of a sweep, before any runs": "plan gamma --seeds 3",
        "what all sweeps have in common": "plan --all",
    },
    "sweep": {
        "which γ? on the built-in spoken flowers": "sweep gamma",
        "your data, five seeds, six epochs": "sweep loss --data data/flowers --seeds 5 "
        "--set epochs=6",
        "two data sets at the thesis' own size, two trials a GPU": "sweep components "
        "--data oxford102=data/flowers --data cub200=data/cub --preset thesis "
        "--gpus-per-trial 0.5",
        "search what is continuous, two hours long": "sweep tune --trials 60 --time-budget 2h",
    },
    "submit": {
        "a sweep on a Ray cluster": "submit --address http://head:8265 gamma "
        "--data s3://BUCKET/flowers --storage s3://BUCKET/runs "
        "--tracking-uri https://mlflow.example.org --gpus-per-trial 1",
    },
    "status": {
        "one sweep, until it is done": "status gamma --watch",
        "all of a storage, and their jobs": "status --storage s3://BUCKET/runs "
        "--address http://head:8265",
    },
    "report": {
        "one page with the table, Markdown, LaTeX and CSV": "report gamma --out report",
        "a search, also for Optuna's own tools": "report tune --export-study sqlite:///tune.db",
    },
    "explain": {
        "what two finished trials look at, side by side": "explain 0123456789ab ba9876543210 "
        "--data data/flowers --out pictures",
    },
    "query": {
        "the images that a recording finds": "query --trial 0123456789ab --wav question.wav",
        "the captions that a photograph finds, in data of yours": "query --trial 0123456789ab "
        "--image photograph.jpg --data data/own",
    },
    "ui": {
        "MLflow's pages on http://127.0.0.1:5000": "ui",
        "of another file": "ui --tracking-uri sqlite:///other.db --port 5001",
    },
    "doctor": {
        "before GPU hours are spent": "doctor --data data/flowers --gpus-per-trial 1",
        "remove what killed commands left": "doctor --fix",
    },
    "sync": {
        "into MLflow what an outage kept from it": "sync",
        "one sweep into a new server": "sync gamma --tracking-uri https://mlflow.example.org",
    },
    "new": {
        "a sweep of your own, to be changed": "new sweep my_question",
        "a model of your own": "new trainable my_model",
    },
    "new sweep": {"my_question.py, into this folder": "new sweep my_question"},
    "new trainable": {"my_model.py, into this folder": "new trainable my_model"},
    "data": {
        "your copy of Oxford-102, spoken by four voices": "data pack oxford102 --root FLOWERS "
        "--out data/flowers --voices 4",
        "whether it is whole": "data verify data/flowers",
    },
    "data pack": {
        "flowers, three captions an image, four voices": "data pack oxford102 --root FLOWERS "
        "--out data/flowers --captions 3 --voices 4",
        "a first try of a few minutes": "data pack oxford102 --root FLOWERS --out data/few "
        "--classes 1-60 --images-per-class 6 --captions 2",
        "scenes with people's speech": "data pack flickr8k --root flickr8k --out data/flickr8k",
        "photographs of yours, a folder a class": "data pack own --root MINE --out data/own",
    },
    "data synth": {"the built-in set, in a folder of yours": "data synth --out data/drawn"},
    "data verify": {"every hash and count": "data verify data/flowers"},
    "data info": {
        "counts, and a histogram of the classes": "data info data/flowers --plot classes.png",
    },
    "data derive": {
        "how large the features of a sweep get": "data derive attention_placement "
        "--data data/flowers --dry-run",
    },
}
"""Command → what an example is for → its words behind `python -m orchestrator`."""

TOUR = f"""\
Ask a speech-image retrieval model a question: sweep it, track it, answer it.

A first answer in minutes, on built-in drawn flowers with spoken descriptions:
  {PROGRAM} sweep loss --set epochs=3

While it runs, in another terminal; and afterwards:
  {PROGRAM} status loss --watch
  {PROGRAM} report loss --out report
  {PROGRAM} ui

The same of your own copy of a data set:
  {PROGRAM} data pack oxford102 --root FLOWERS --out data/flowers
  {PROGRAM} doctor --data data/flowers
  {PROGRAM} sweep loss --data data/flowers

What else can be asked: {PROGRAM} list
All commands:           {PROGRAM} --help
"""
"""What is shown without a command."""


def epilog(command: str) -> str:
    """The examples of a command for the end of its help; click keeps these lines as they are."""
    lines = [
        line
        for purpose, words in EXAMPLES[command].items()
        for line in (f"  # {purpose}", f"  {PROGRAM} {words}")
    ]
    return "\n".join(["\b", "Examples:", *lines])
