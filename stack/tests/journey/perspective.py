"""Google's own client library, as it is on PyPI, against the moderation service.

Only the address of the discovery document and the key are ours: all else is how programs have used Perspective. What comes of
each call is printed as one line of JSON, for the journey to look at.
"""

import json
import sys

from googleapiclient import discovery
from googleapiclient.errors import HttpError

TEXT = "What kind of idiot name is foo? Sorry, I like your name."


def client(url, key):
    """The client that `build` makes of the discovery document."""
    return discovery.build(
        "commentanalyzer",
        "v1alpha1",
        developerKey=key,
        discoveryServiceUrl=url + "/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    )


def outcome(request):
    """What a request is answered, or how it is refused."""
    try:
        # A busy service answers 503, which the library tries again when it is asked to.
        return {"answer": request.execute(num_retries=4)}
    except HttpError as error:
        return {"status": error.resp.status, "reason": error.reason, "details": error.error_details}


def main(url, key):
    """Calls both methods, and makes the mistakes that clients make."""
    comments = client(url, key).comments()
    asked = {"comment": {"text": TEXT}, "requestedAttributes": {"TOXICITY": {}, "INSULT": {}}, "languages": ["en"]}
    suggested = {
        "comment": {"text": TEXT},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0.9, "type": "PROBABILITY"}}},
        "clientToken": "comment-53922",
    }
    calls = {
        "analyze": comments.analyze(body={**asked, "spanAnnotations": True, "doNotStore": True, "clientToken": "t"}),
        "unknown": comments.analyze(body={**asked, "requestedAttributes": {"FLIRTATION": {}}}),
        "empty": comments.analyze(body={**asked, "comment": {"text": ""}}),
        "suggest": comments.suggestscore(body=suggested),
        "stranger": client(url, "another").comments().analyze(body=asked),
    }
    print(json.dumps({name: outcome(call) for name, call in calls.items()}))


main(sys.argv[1], sys.argv[2])
