"""Calls a model by every operation of bedrock-runtime, reads each answer to its end, and prints what came of it as JSON."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

model = sys.argv[1]
config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
client = boto3.client("bedrock-runtime", config=config)
body = json.dumps(
    {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}
)
messages = [{"role": "user", "content": [{"text": "hi"}]}]


def invoke_model():
    answer = json.loads(client.invoke_model(modelId=model, body=body)["body"].read())
    return answer["stop_reason"]


def invoke_model_with_response_stream():
    reason = None
    for event in client.invoke_model_with_response_stream(modelId=model, body=body)["body"]:
        chunk = json.loads(event["chunk"]["bytes"])
        if chunk["type"] == "message_delta":
            reason = chunk["delta"]["stop_reason"]
    return reason


def converse():
    return client.converse(modelId=model, messages=messages, inferenceConfig={"maxTokens": 16})["stopReason"]


def converse_stream():
    reason = None
    for event in client.converse_stream(modelId=model, messages=messages, inferenceConfig={"maxTokens": 16})["stream"]:
        reason = event.get("messageStop", {}).get("stopReason", reason)
    return reason


seen = {}
for operation in (invoke_model, invoke_model_with_response_stream, converse, converse_stream):
    try:
        seen[operation.__name__] = {"outcome": "ok", "stop_reason": operation()}
    except ClientError as error:
        seen[operation.__name__] = {"outcome": error.response["Error"]["Code"], "message": str(error)[:200]}
    except BotoCoreError as error:
        seen[operation.__name__] = {"outcome": type(error).__name__, "message": str(error)[:200]}
print(json.dumps(seen))
