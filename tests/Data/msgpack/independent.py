"""The other side of MessagePackIndependentTests: python3-msgpack against our writer and reader.

Each line of stdin is {"document": D, "ours": hex}; each line of stdout is {"oursAsRead": D', "theirs": hex}: our bytes as
python3-msgpack reads them, and the bytes that it writes for D. D is tagged, since JSON has neither bytes nor 64-bit integers:
["i","-5"] ["s","text"] ["b","hex"] ["n"] ["t"] ["f"] ["a",[...]] ["m",[[key,value],...]].
"""
import json
import sys

import msgpack


def value_of(tagged):
    tag = tagged[0]
    if tag == "i":
        return int(tagged[1])
    if tag == "s":
        return tagged[1]
    if tag == "b":
        return bytes.fromhex(tagged[1])
    if tag == "a":
        return [value_of(item) for item in tagged[1]]
    if tag == "m":
        return {value_of(key): value_of(item) for key, item in tagged[1]}
    return {"n": None, "t": True, "f": False}[tag]


def tagged_of(value):
    if value is None:
        return ["n"]
    if value is True:
        return ["t"]
    if value is False:
        return ["f"]
    if isinstance(value, int):
        return ["i", str(value)]
    if isinstance(value, str):
        return ["s", value]
    if isinstance(value, bytes):
        return ["b", value.hex()]
    if isinstance(value, list):
        return ["a", [tagged_of(item) for item in value]]
    if isinstance(value, dict):
        return ["m", [[tagged_of(key), tagged_of(item)] for key, item in value.items()]]
    raise TypeError(f"no document of ours has a {type(value).__name__}")


for line in sys.stdin:
    request = json.loads(line)
    ours = msgpack.unpackb(bytes.fromhex(request["ours"]), raw=False, strict_map_key=False)
    theirs = msgpack.packb(value_of(request["document"]), use_bin_type=True)
    print(json.dumps({"oursAsRead": tagged_of(ours), "theirs": theirs.hex()}))
