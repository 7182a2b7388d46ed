"""Numbers in a user's sentence get their kind from the words beside them, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.llm.quantities import find_quantities, normalise
from assistant.llm.turn_schema import read_turn


@pytest.mark.parametrize(
    ("said", "kind", "values"),
    [
        ("Profile it with batch 1, 8 and 32", "batch", (1, 8, 32)),
        ("batch 1,8,32 on CPU", "batch", (1, 8, 32)),
        ("バッチ1、8、32で測って", "batch", (1, 8, 32)),
        ("is 2 GB of memory enough", "memory_gib", (2,)),
        ("GPUが24GBあれば足りる?", "memory_gib", (24,)),
        ("20,000 questions a day", "requests_per_day", (20000,)),
        ("1日3万件くらい", "requests_per_day", (30000,)),
        ("50k req/day", "requests_per_day", (50000,)),
        ("三万件/日", "requests_per_day", (30000,)),
        ("3万件/日", "requests_per_day", (30000,)),
        ("p95 200 ms、2.5万件/日", "requests_per_day", (25000,)),
        ("千件/日", "requests_per_day", (1000,)),
        ("0.5 dollars an hour", "price_per_hour", (0.5,)),
        ("about $1.20/hr", "price_per_hour", (1.2,)),
        ("1時間500円だと", "price_per_hour", (500,)),
        ("8k context", "length", (8192,)),
        ("512 tokens", "length", (512,)),
        ("長さ512トークンで", "length", (512,)),
        ("generate 200 tokens", "new_tokens", (200,)),
        ("p95 under 200 ms", "latency_ms", (200,)),
        ("in bf16 please", "dtype", ("bfloat16",)),
        ("run it on the GPU", "device", ("cuda",)),
        ("revision v1.2 please", "revision", ("v1.2",)),
    ],
)
def test_kind_and_values(said, kind, values):
    found = [(q.kind, q.values) for q in find_quantities(normalise(said))]
    assert (kind, values) in found


@pytest.mark.parametrize(
    "said", ["batch 8 and 64 tokens", "batch 8, 64 tokens", "バッチ8と64トークン", "バッチサイズ8、64トークンで"]
)
def test_tokens_beside_a_batch_are_no_batch(said):
    assert [(q.kind, q.values) for q in find_quantities(normalise(said))] == [("batch", (8,)), ("length", (64,))]


def test_a_batch_list_may_stand_before_a_length():
    found = find_quantities(normalise("batch 1, 8 and 32, 128 tokens"))
    assert [(q.kind, q.values) for q in found] == [("batch", (1, 8, 32)), ("length", (128,))]


def test_currency_goes_with_the_price():
    (price,) = [q for q in find_quantities(normalise("1時間500円")) if q.kind == "price_per_hour"]
    assert price.currency == "JPY"


def test_full_width_digits_are_read():
    assert find_quantities(normalise("バッチ8"))[0].values == (8,)


@pytest.mark.parametrize(
    "said", [f"比べて:{m}" for m in ("BAAI/bge-m3／acme/model-a-1", "BAAI/bge-m3、acme/model-a-1")]
)
def test_names_apart_by_a_wide_slash_or_comma_are_two(said):
    assert read_turn(said).named == ("BAAI/bge-m3", "acme/model-a-1")
    assert read_turn(said).masked.count("<model>") == 2


def test_a_name_behind_an_ellipsis_is_found_and_a_folder_above_stays_one():
    assert read_turn("苦手で…BAAI/bge-m3 は").named == ("BAAI/bge-m3",)
    assert read_turn("見て ../models/x を").named == ("../models/x",)
    assert normalise("3000件／日") == "3000件/日"


@pytest.mark.parametrize(
    "said", ["for tagging articles", "several branches", "a price tag", "his branch gets it", "commit to it"]
)
def test_everyday_words_are_no_revisions(said):
    assert not [q for q in find_quantities(said) if q.kind == "revision"]


def test_a_reference_of_git_is_a_revision_as_a_whole():
    assert find_quantities("at refs/pr/7 please")[0].values == ("refs/pr/7",)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_T30_any_text_is_read_without_failing(text):
    quantities = find_quantities(normalise(text))
    assert all(q.start < q.end <= len(normalise(text)) for q in quantities)


# --- the closer reading, once the tool is known -----------------------------------------------------------------------

E5 = "intfloat/multilingual-e5-small"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def arguments(tool, said):
    values = read_turn(said).arguments(tool)
    return values.get("targets", {}) if tool == "plan_adoption" else values


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("We bill in CHF", {"currency": "CHF"}),
        ("everything in Swiss francs", {"currency": "CHF"}),
        ("our books are kept in rupees", {"currency": "INR"}),
        ("in Canadian dollars, at 2.30 an hour", {"price_per_hour": 2.3, "currency": "CAD"}),
        ("at 2 francs an hour", {"price_per_hour": 2, "currency": "CHF"}),
        ("a machine at SEK 12 per hour", {"price_per_hour": 12, "currency": "SEK"}),
        ("スイスフランで見せて", {"currency": "CHF"}),
        ("豪ドルなので", {"currency": "AUD"}),
        ("台湾ドルで", {"currency": "TWD"}),
        ("ポンドにすると?", {"currency": "GBP"}),
        ("ウォンで", {"currency": "KRW"}),
        ("1時間600ウォンで", {"price_per_hour": 600, "currency": "KRW"}),
        # What is no currency: drawings, France, a franchise, a verb.
        ("for our CAD drawings", {}),
        ("フランスの支店とフランチャイズで", {}),
        ("we won the contract", {}),
        ("nok, aud and sek are letters here", {}),
    ],
)
def test_currencies_are_known_by_code_and_by_name(said, expected):
    assert arguments("estimate_cost", said) == expected


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ("what's that monthly at $1.25?", 1.25),
        ("per month, rented at $0.89?", 0.89),
        ("an hourly figure, €3.05. Make a monthly one of it", 3.05),
        ("500円の機械で月額を", 500),
        ("1.40で借りています", 1.4),
        ("I can spend CHF 400 monthly", None),
        ("our budget is $200", None),
        ("$2 a month is what I have", None),
        ("月に400ドルまで", None),
        ("with $900, how far per month?", None),
        ("how many bucks 4 it a month", None),
        ("400まで出せる", None),
    ],
)
def test_an_amount_is_the_price_of_an_hour_unless_it_is_a_budget(said, price):
    found = arguments("estimate_cost", said)
    assert found.get("price_per_hour") == price
    assert "requests_per_day" not in found


@pytest.mark.parametrize(
    ("said", "load"),
    [
        ("90 orders come in by mail each day", 90),
        ("旅館の予約メールは日 25通だけ", 25),
        ("一日あたり七百件", 700),
        ("日に千二百件", 1200),
        ("1日2万2千件", 22_000),
        ("日 1万6千件", 16_000),
        ("our shop gets 35 questions", 35),
        ("traffic is 500 today", 500),
        ("件数 1日650件", 650),
        # Hours, people, days of a month and a share are no load.
        ("it runs 8 hours a day", None),
        ("our 40 employees use it every day", None),
        ("since 2023 we watch this daily", None),
        ("5日25通", None),
        ("30万件のデータがある", None),
        ("90% of them each day", None),
        ("I have 2 questions", None),
        ("一人が一日二十回", None),
    ],
)
def test_a_load_is_what_comes_in_on_a_day(said, load):
    assert arguments("plan_adoption", said).get("requests_per_day") == load


TOKENS, REQUESTS = "alternative_price_per_million_tokens", "alternative_price_per_thousand_requests"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the API takes $0.02 per million tokens", {TOKENS: 0.02, "currency": "USD"}),
        ("against $2/1M tokens", {TOKENS: 2, "currency": "USD"}),
        ("$0.15 per 1k tokens, ours is 0.5 dollars an hour", {TOKENS: 150, "price_per_hour": 0.5, "currency": "USD"}),
        ("a million tokens cost $3 there", {TOKENS: 3, "currency": "USD"}),
        ("CHF 3 per million tokens or CHF 1 an hour", {TOKENS: 3, "price_per_hour": 1, "currency": "CHF"}),
        ("the provider charges $2 per thousand requests", {REQUESTS: 2, "currency": "USD"}),
        ("instead of 2 cents per call, 5000 a day", {REQUESTS: 20, "requests_per_day": 5000, "currency": "USD"}),
        ("100万トークンあたり75円のAPIより安い?", {TOKENS: 75, "currency": "JPY"}),
        ("APIは1,000件あたり2ドル。1日3万件", {REQUESTS: 2, "requests_per_day": 30_000, "currency": "USD"}),
        ("外部サービスは1件0.3円、機器は1時間80円", {REQUESTS: 300, "price_per_hour": 80, "currency": "JPY"}),
        # A price that is nobody's, a unit to price, and prices in two currencies are no offer.
        ("our margin is 2 cents per document", {"currency": "USD"}),
        ("the cost per 1,000 documents", {}),
        ("千件あたり何円くらいですか", {}),
        ("the API takes $2 per million tokens, ours is 0.5 EUR an hour", {"price_per_hour": 0.5, "currency": "EUR"}),
    ],
)
def test_another_offer_is_read_with_its_unit(said, expected):
    assert arguments("estimate_cost", said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("p95 within 300 ms, peaks of 5 times the average", {"latency_p95_target_ms": 300, "peak_factor": 5}),
        ("our busiest hour is 6x the average", {"peak_factor": 6}),
        ("a peak factor of 2.5", {"peak_factor": 2.5}),
        ("answers in 0.5 s at most", {"latency_p95_target_ms": 500}),
        ("ピークは平均の4倍、応答は200ミリ秒以内", {"peak_factor": 4, "latency_p95_target_ms": 200}),
        # What took a time, and a season, are neither.
        ("it took 3 seconds", {}),
        ("peak season brings 250,000 orders daily", {"requests_per_day": 250_000}),
    ],
)
def test_the_busiest_hour_and_a_response_time_are_read(said, expected):
    assert arguments("estimate_cost", said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("40 per call", {"batch_size": 40}),
        ("20 conversations at the same time", {"batch_size": 20}),
        ("with 12 invoices", {"batch_size": 12}),
        ("16件ずつ", {"batch_size": 16}),
        ("同時16リクエスト", {"batch_size": 16}),
        ("同時 40 で長さ 512", {"batch_size": 40, "sequence_length": 512}),
        ("800 out, 3000 in", {"new_tokens": 800, "sequence_length": 3000}),
        ("入力6,000、出力2,000", {"sequence_length": 6000, "new_tokens": 2000}),
        ("回答ごとに1000トークン書かせる", {"new_tokens": 1000}),
        ("if answers stop at 100", {"new_tokens": 100}),
        ("every answer runs to 1500 tokens", {"new_tokens": 1500}),
        ("{m}, 8, 4096", {"batch_size": 8, "sequence_length": 4096}),
        ("16 at 512", {"batch_size": 16, "sequence_length": 512}),
        ("on 2x24gb", {"device_memory_gib": 24}),
        # Read, not written; collections; cards; places in a file; times.
        ("the answer to a prompt of 600 tokens", {"sequence_length": 600}),
        ("要約対象の入力が600トークン", {"sequence_length": 600}),
        ("we have 300k records", {}),
        ("is a 3090 enough, or an RTX 4060?", {}),
        ("it dies at row 700", {}),
        ("restarted 214 times", {}),
        ("at 3 am", {}),
    ],
)
def test_batch_length_and_new_tokens_are_told_apart(said, expected):
    assert arguments("estimate_memory", said.replace("{m}", E5)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("different lengths, say 64, 256, 1024", {"sequence_lengths": [64, 256, 1024]}),
        ("over 64, 128, 256, 512, 1024", {"sequence_lengths": [64, 128, 256, 512, 1024]}),
        ("shorter inputs, say 64", {"sequence_lengths": [64]}),
        ("{m}, 512, 16", {"batch_sizes": [16], "sequence_lengths": [512]}),
        ("batch 1, 8, 64, 512", {"batch_sizes": [1, 8, 64, 512]}),
        ("1, 8 and 32", {"batch_sizes": [1, 8, 32]}),
        ("through 512 headlines", {"batch_sizes": [512]}),
        ("generate 1000 with {m}", {"new_tokens": 1000}),
        ("500トークン書かせたら", {"new_tokens": 500}),
        ("GPU 0 で", {"device": "cuda:0"}),
        ("gpu 4 256", {"device": "cuda", "batch_sizes": [4], "sequence_lengths": [256]}),
        ("on mps", {"device": "mps"}),
        ("応答時間の95パーセンタイルは?", {}),
        ("for section 5 of the report", {}),
        ("夜間に12万行、枠に収まる?", {}),
    ],
)
def test_a_profile_gets_lists_of_batches_or_lengths_and_a_device(said, expected):
    assert arguments("profile_model", said.replace("{m}", MINILM)) == expected


@pytest.mark.parametrize(
    ("said", "revision"),
    [
        ("{m}@6b1f3aa old?", "6b1f3aa"),
        ("{m}#quantized please", "quantized"),
        ("does dev of {m} differ?", "dev"),
        ("{m} の nightly は?", "nightly"),
        ("between rc1 and final", "rc1"),
        ("we were told 1.4.0. is that it?", "1.4.0"),
        ("届け出たのは 1.4 です", "1.4"),
        ("9f2d of {m}", "9f2d"),
        ("paper-v1 の {m}", "paper-v1"),
        ("sync {m} to latest-stable", "latest-stable"),
        ("2022-release of {m}", "2022-release"),
        ("the int8 variant of {m}", "int8"),
        ("版は base で", "base"),
        ("{m} at refs/pr/4.", "refs/pr/4"),
        ("{m} as of release-7.", "release-7"),
        ("how far is refs/pr/7 of {m} from the main branch?", "refs/pr/7"),
        ("{m} at tag 2.0", "2.0"),
        ("{m} from tag camera-ready", "camera-ready"),
        # Everyday words, versions of libraries, licences, sizes and shares.
        ("our branch office needs {m}", None),
        ("the price tag says nothing of {m}", None),
        ("is it stable?", None),
        ("the final decision on the main question", None),
        ("transformers 4.41 and 4.36", None),
        ("うちの4.36の環境で", None),
        ("Apache 2.0?", None),
        ("it took 2.5 hours, 1.5% of them", None),
        ("{m} in bf16", None),
        ("a 100b model", None),
        ("2024-era hardware", None),
        ("{m}@main or " + MINILM, None),
        # Names of other models and products.
        ("Is {m} better than GPT-4?", None),
        ("is {m} better than gpt-4o or claude-3.5", None),
        ("{m} は Llama-3.1 より良いですか", None),
        ("{m} on an RTX-4090", None),
        ("Release-7 of {m}", "Release-7"),
    ],
)
def test_a_revision_is_read_where_a_revision_can_stand(said, revision):
    assert arguments("fetch_model", said.replace("{m}", E5)).get("revision") == revision


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("RuntimeError: The size of tensor a (768) must match the size of tensor b (512) at non-singleton dimension 1", {}),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 15.78 GiB total capacity)", {}),
        ("CUDA out of memory. Tried to allocate 2.00 GiB と出ます。24GBなら足りますか", {"device_memory_gib": 24}),
        ("エラー「size (768) must match (512)」が出ました。バッチ8なら?", {"batch_size": 8}),
        ("「Expected batch_size (32) to match (64)」というエラーが出ます。長さ128なら?", {"sequence_length": 128}),
        ("エラー:サイズが768と512で一致しません。バッチ4なら?", {"batch_size": 4}),
        ('Traceback (most recent call last):\n  File "a.py", line 768, in f\n    x = g(512)\nValueError: 256\nWith batch 4?', {"batch_size": 4}),
        ("IndexError: 514 is out of range. Our inputs have 700 tokens", {"sequence_length": 700}),
        ("We get CUDA out of memory errors with batch 32 and length 512", {"batch_size": 32, "sequence_length": 512}),
    ],
)  # fmt: skip
def test_numbers_of_a_pasted_error_are_no_arguments(said, expected):
    assert arguments("estimate_memory", said) == expected


def test_a_pasted_error_asks_for_no_setting_to_vary_and_no_new_run():
    error = "RuntimeError: fp16 and fp32 tensors cannot be mixed, try again with torch.compile on GPU 0"
    assert arguments("profile_model", error) == {}


_NO_QUANTITY = st.one_of(
    st.integers(1991, 2039).map("in {}".format),
    st.integers(1, 99).map("{} %".format),
    st.integers(1, 99).map("section {}".format),
    st.integers(1, 99).map("第{}章".format),
    st.tuples(st.integers(200, 999), st.integers(1000, 9999)).map("call {0[0]}-{0[1]}".format),
    st.tuples(st.sampled_from(["B", "x", "mp", "H"]), st.integers(1, 999)).map("{0[0]}{0[1]}".format),
    st.integers(1990, 2039).map("{}年".format),
)


@given(
    said=st.lists(_NO_QUANTITY, min_size=1, max_size=3).map("; ".join),
    tool=st.sampled_from(["estimate_memory", "profile_model", "estimate_cost", "plan_adoption"]),
)
def test_years_shares_sections_and_phone_numbers_are_no_arguments(said, tool):
    assert arguments(tool, f"About {said}.") == {}
