#!/usr/bin/env python3
"""Renders the phrases that the simulated callee and the simulated model speak.

    apt-get install -y espeak-ng libespeak-ng1 sox
    scripts/make-speech.py

Writes assets/speech/<id>.ulaw (G.711 u-law, 8 kHz, mono, no header) and assets/speech/phrases.json. The clips are
committed, so this is needed only to change them. The same versions of espeak-ng and sox give the same bytes.

Word times are espeak-ng's own word events; a word ends where its sound does, or where the next word starts. Every clip
carries a faint seeded hiss (as a telephone line does), so that no two stretches of pause are alike: a lost or swapped
20 ms frame can be seen even where nobody speaks.
"""

import array
import ctypes
import ctypes.util
import json
import pathlib
import random
import subprocess

OUT = pathlib.Path(__file__).resolve().parent.parent / "assets" / "speech"

# name of the espeak-ng voice and variant, words a minute, pitch 0-99
AGENT = ("en-us+f3", 172, 60)
CALLEE = ("en+m7", 168, 28)

AGENT_PHRASES = {
    "a.opener": "Hello, this is an AI assistant calling for a guest. I would like to book a table, please.",
    "a.request": "Hello, this is an AI assistant calling for a guest. I would like to book a table this Friday at seven "
    "in the evening, by the window if you still have one, please.",
    "a.four": "For four people, this Friday at seven.",
    "a.name": "Yes, the name is Carter.",
    "a.goodbye": "Thank you very much for your help. Goodbye, and have a lovely evening.",
    "a.farewell": "Thank you for your time. Goodbye.",
    "a.stillthere": "Hello, are you still there?",
    "a.again": "Sorry, I did not understand that. Could you say it again, please?",
    "a.parking": "No, we do not need a parking space, thank you.",
    "a.perfect": "Friday at seven would be perfect, thank you for checking.",
    "a.long": "If the terrace is open that evening we would be very happy to sit outside, and if it is not, then a quiet "
    "table somewhere near the window would suit all four of us just as well.",
    "a.long2": "Of course, let me repeat that: we are four people, we would like to come this Friday at seven, and a table "
    "by the window would be wonderful.",
    "a.short": "One moment.",
    "a.message": "Hello, this is an AI assistant. Please tell Sam that the meeting moved to three o'clock.",
    "a.reception": "Hello, this is the AI assistant of the office. How can I help you?",
    "a.transfer": "Certainly, I am putting you through to a colleague now.",
}
CALLEE_PHRASES = {
    "c.greeting": "Thank you for calling Luigi's, how can I help you?",
    "c.hello": "Hello?",
    "c.howmany": "Sorry, for how many people?",
    "c.name": "And may I have your name, please?",
    "c.confirmed": "Wonderful, you are all set. See you on Friday.",
    "c.bye": "Thanks, bye!",
    "c.onemore": "Oh wait, one more thing. Do you need a parking space?",
    "c.moment": "One moment please, let me check.",
    "c.back": "Thanks for waiting. Yes, that is possible.",
    "c.seven": "I will see you at seven, what name is it?",
    "c.person": "I would like to speak to a person, please.",
    "c.office": "Good evening, this is the office, how may I help?",
    "c.mmhm": "Mm-hm.",
    "c.stop": "Sorry, could you repeat that?",
    "c.yes": "Yes, of course.",
}
CHATTER = [
    ("en+m3", 190, 35, "The weather turned on Tuesday and the boats stayed in the harbour until the wind had gone."),
    ("en-us+f5", 200, 70, "She said the new curtains were far too long, so we carried every one of them back again."),
    ("en-gb-scotland+m1", 180, 45, "Nobody remembers who won that match, but everybody remembers the rain and the mud."),
    ("en-us+f1", 175, 55, "Put the larger plates on the lower shelf, the glasses go behind them with the jugs."),
]

WORD, LIST_END = 1, 0
RETRIEVAL, CHARS_UTF8, END_PAUSE = 1, 1, 0x1000


class EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))

espeak = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
RATE = espeak.espeak_Initialize(RETRIEVAL, 0, None, 0)


def synthesise(voice, speed, pitch, text):
    """-> 16-bit samples at RATE and [(text position, start in ms)] of each word."""
    samples, events = array.array("h"), []

    def collect(wave, count, event):
        if wave and count:
            samples.extend(wave[:count])
        index = 0
        while event[index].type != LIST_END:
            if event[index].type == WORD:
                events.append((event[index].text_position - 1, event[index].length, event[index].audio_position))
            index += 1
        return 0

    callback = Callback(collect)
    espeak.espeak_SetSynthCallback(callback)
    if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SystemExit(f"espeak-ng has no voice {voice}")
    espeak.espeak_SetParameter(1, speed, 0)
    espeak.espeak_SetParameter(3, pitch, 0)
    data = text.encode() + b"\0"
    espeak.espeak_Synth(data, len(data), 0, 1, 0, CHARS_UTF8, None, None)
    espeak.espeak_Synchronize()
    return samples, events


def telephone(samples):
    """Through a telephone's band, to 8 kHz, at one loudness."""
    raw = ["-t", "raw", "-e", "signed", "-b", "16", "-c", "1"]
    effects = ["highpass", "200", "lowpass", "3500", "rate", "-h", "8000", "gain", "-n", "-5"]
    done = subprocess.run(
        ["sox", "-D", "-R", *raw, "-r", str(RATE), "-", *raw, "-r", "8000", "-", *effects],
        input=samples.tobytes(), stdout=subprocess.PIPE, check=True,
    )
    out = array.array("h")
    out.frombytes(done.stdout)
    return out


def loud(samples, at_ms, floor=220):
    part = samples[at_ms * 8:(at_ms + 10) * 8]
    return len(part) > 0 and (sum(s * s for s in part) / len(part)) ** 0.5 > floor


def edges(samples):
    total = len(samples) // 8
    first = next(ms for ms in range(0, total) if loud(samples, ms))
    last = next(ms for ms in range(total - 10, 0, -1) if loud(samples, ms)) + 10
    return first, last


def hiss(samples, name):
    noise = random.Random(name)
    return array.array("h", (max(-32768, min(32767, s + noise.randint(-40, 40))) for s in samples))


def encode(sample):
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 0x84
    exponent = 7
    mask = 0x4000
    while exponent > 0 and not magnitude & mask:
        exponent -= 1
        mask >>= 1
    return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)) & 0xFF


def write(name, samples):
    (OUT / f"{name}.ulaw").write_bytes(bytes(encode(s) for s in hiss(samples, name)))


def token_ends(text):
    """Each written word with the punctuation that clings to it, by where it starts in the text."""
    tokens, at = [], 0
    for token in text.split():
        start = text.index(token, at)
        at = start + len(token)
        tokens.append((start, at, token))
    return tokens


def word_times(text, events, samples, first, last):
    words = []
    for start, end, token in token_ends(text):
        inside = [ms for position, _, ms in events if start <= position < end]
        if inside:
            words.append([token, max(0, inside[0] - first), 0])
        else:  # espeak-ng speaks some words as one ("of a"); they get equal shares of it below
            words.append([token, words[-1][1], 0])
    for index, word in enumerate(words):
        later = [start for _, start, _ in words[index + 1:] if start > word[1]]
        limit = later[0] if later else last - first
        end = limit
        while end - 10 > word[1] and not loud(samples, first + end - 10):
            end -= 1
        word[2] = end
    for start in {word[1] for word in words}:
        joined = [word for word in words if word[1] == start]
        share = (joined[0][2] - start) // len(joined)
        for index, word in enumerate(joined[:-1]):
            word[1], word[2] = start + index * share, start + (index + 1) * share
        joined[-1][1] = start + (len(joined) - 1) * share
    return [{"text": text, "startMs": start, "endMs": end} for text, start, end in words]


def render(name, voice, text):
    # A full stop inside a phrase is spoken as a comma: a pause of half a second would end the speaker's turn.
    spoken, events = synthesise(*voice, text.replace(". ", ", "))
    samples = telephone(spoken)
    first, last = edges(samples)
    clip = samples[first * 8:last * 8]
    write(name, clip)
    return {"text": text, "words": word_times(text, events, samples, first, last), "durationMs": len(clip) // 8}


def chatter():
    """Four voices, each backwards, over one another: the sound of a room without a word in it."""
    mixed = array.array("h", [0] * (5000 * 8))
    for shift, (voice, speed, pitch, text) in enumerate(CHATTER):
        backwards = telephone(synthesise(voice, speed, pitch, text)[0])[::-1]
        for index in range(len(mixed)):
            mixed[index] += backwards[(index + shift * 4001) % len(backwards)] // 5
    write("c.chatter", mixed)
    return {"text": "", "words": [], "durationMs": 5000}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    phrases = []
    for who, voice, texts in (("agent", AGENT, AGENT_PHRASES), ("callee", CALLEE, CALLEE_PHRASES)):
        for name, text in texts.items():
            phrases.append({"id": name, "voice": who, "language": "en", **render(name, voice, text)})
    phrases.append({"id": "c.chatter", "voice": "callee", "language": "en", **chatter()})
    (OUT / "phrases.json").write_text(json.dumps(phrases, indent=1, ensure_ascii=False) + "\n")
    for phrase in phrases:
        print(f"{phrase['id']:13} {phrase['durationMs']:6} ms  {len(phrase['words']):3} words")


main()
