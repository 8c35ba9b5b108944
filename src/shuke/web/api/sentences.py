"""What doors say when they refuse, in three languages. Refusals of the engine have theirs in ``engine.sentences``.

A code never changes; a sentence may. ``{name}`` is one of the problem's facts.
"""

from __future__ import annotations

from typing import Final

from shuke.engine.sentences import Locale

Sentences = dict[Locale, str]


def _in(en: str, zh_hant: str, zh_hans: str) -> Sentences:
    return {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}


PROBLEMS: Final[dict[str, tuple[int, Sentences]]] = {
    "address_not_public": (
        422,
        _in(
            "Webhooks are sent to public addresses only.",
            "Webhook 只會送往公開的網路位址。",
            "Webhook 只会发送到公开的网络地址。",
        ),
    ),
    "body_too_large": (
        413,
        _in(
            "The body is larger than {most} bytes.",
            "請求內容超過 {most} 位元組。",
            "请求内容超过 {most} 字节。",
        ),
    ),
    "books_away": (
        503,
        _in(
            "The books cannot be reached right now. Nothing was lost; try again with the same key.",
            "目前連不上帳本。沒有遺失任何資料，請用同一個鍵再試一次。",
            "目前连不上账本。没有丢失任何数据，请用同一个键再试一次。",
        ),
    ),
    "category_in_itself": (
        422,
        _in(
            "The category {category} would lie in itself. Nothing was changed.",
            "商品類別 {category} 會成為自己的上層。沒有任何變更。",
            "商品类别 {category} 会成为自己的上级。没有任何变更。",
        ),
    ),
    "category_too_deep": (
        422,
        _in(
            "At most {most} categories lie in each other; {category} would be deeper. Nothing was changed.",
            "商品類別最多 {most} 層，{category} 會超過。沒有任何變更。",
            "商品类别最多 {most} 层，{category} 会超过。没有任何变更。",
        ),
    ),
    "codes_not_unique": (
        422,
        _in(
            "Coupons of {template} have no unique codes. Write `codes: unique` into the template first.",
            "{template} 的優惠券沒有專屬券碼。請先在範本中寫上 `codes: unique`。",
            "{template} 的优惠券没有专属券码。请先在模板中写上 `codes: unique`。",
        ),
    ),
    "draft_changed": (
        412,
        _in(
            "The draft is not the one you read; somebody has changed it since. Read it again and send its ETag as "
            "If-Match.",
            "草稿已不是您讀到的那一份，其間有人改過。請重新讀取，並以其 ETag 作為 If-Match 送出。",
            "草稿已不是您读到的那一份，其间有人改过。请重新读取，并以其 ETag 作为 If-Match 发送。",
        ),
    ),
    "draft_missing": (
        404,
        _in("There is no draft.", "目前沒有草稿。", "目前没有草稿。"),
    ),
    "effective_in_the_past": (
        422,
        _in(
            "A version cannot come into force before {earliest}: what was before is settled.",
            "版本最早只能自 {earliest} 起生效：在此之前的都已結算。",
            "版本最早只能自 {earliest} 起生效：在此之前的都已结算。",
        ),
    ),
    "endpoint_disabled": (
        409,
        _in(
            "The endpoint is disabled. Enable it first.",
            "此端點已停用，請先啟用。",
            "此端点已停用，请先启用。",
        ),
    ),
    "fault": (
        500,
        _in(
            "This is a fault on our side. It is recorded under the request id; try again with the same key.",
            "這是系統的錯誤，已用請求編號記錄下來。請用同一個鍵再試一次。",
            "这是系统的错误，已用请求编号记录下来。请用同一个键再试一次。",
        ),
    ),
    "guessed_too_often": (
        429,
        _in(
            "Too many requests without a good API key came from your address. Try again in {seconds} s.",
            "您的網路位址送出太多沒有有效 API 金鑰的請求，請在 {seconds} 秒後再試。",
            "您的网络地址发送了太多没有有效 API 密钥的请求，请在 {seconds} 秒后再试。",
        ),
    ),
    "idempotency_key_invalid": (
        400,
        _in(
            "Idempotency-Key must have 1 to 200 printable characters.",
            "Idempotency-Key 須為 1 到 200 個可見字元。",
            "Idempotency-Key 须为 1 到 200 个可见字符。",
        ),
    ),
    "idempotency_key_missing": (
        400,
        _in(
            "This request changes something: send an Idempotency-Key header, and the same one when you try again.",
            "這個請求會更動資料：請附上 Idempotency-Key 標頭，重試時使用同一個。",
            "这个请求会更改数据：请附上 Idempotency-Key 标头，重试时使用同一个。",
        ),
    ),
    "idempotency_key_reused": (
        422,
        _in(
            "This Idempotency-Key was used for another request before.",
            "這個 Idempotency-Key 先前已用於另一個請求。",
            "这个 Idempotency-Key 先前已用于另一个请求。",
        ),
    ),
    "invalid_request": (
        400,
        _in(
            "The request is not as it should be; see the errors.",
            "請求內容有誤，請看各項錯誤。",
            "请求内容有误，请看各项错误。",
        ),
    ),
    "key_ended": (
        409,
        _in(
            "This API key was revoked or has expired, so none can follow it. Make a new one.",
            "這把 API 金鑰已撤銷或到期，無法輪替。請另建新的金鑰。",
            "这个 API 密钥已撤销或到期，无法轮换。请另建新的密钥。",
        ),
    ),
    "key_expired": (
        401,
        _in("This API key expired.", "這把 API 金鑰已到期。", "这个 API 密钥已到期。"),
    ),
    "key_missing": (
        401,
        _in(
            "Send your API key: Authorization: Bearer shk_…",
            "請附上 API 金鑰：Authorization: Bearer shk_…",
            "请附上 API 密钥：Authorization: Bearer shk_…",
        ),
    ),
    "key_revoked": (
        401,
        _in("This API key was revoked.", "這把 API 金鑰已撤銷。", "这个 API 密钥已撤销。"),
    ),
    "key_unknown": (
        401,
        _in("There is no such API key.", "沒有這把 API 金鑰。", "没有这个 API 密钥。"),
    ),
    "member_code_locked": (
        422,
        _in(
            "Too many wrong codes with this number. Try again in ten minutes, or find the member otherwise.",
            "這個號碼連續出示了太多錯誤的會員碼。請十分鐘後再試，或改用其他方式查找會員。",
            "这个号码连续出示了太多错误的会员码。请十分钟后再试，或改用其他方式查找会员。",
        ),
    ),
    "member_code_over": (
        422,
        _in(
            "This code is over. Ask the member to show a new one.",
            "這個會員碼已過時，請會員重新出示。",
            "这个会员码已失效，请会员重新出示。",
        ),
    ),
    "member_code_unreadable": (
        422,
        _in(
            "This is no member's code: one has twenty digits and begins with 90.",
            "這不是會員碼：會員碼共二十位數字，以 90 開頭。",
            "这不是会员码：会员码共二十位数字，以 90 开头。",
        ),
    ),
    "member_code_used": (
        422,
        _in(
            "This code was used already. Ask the member to show a new one.",
            "這個會員碼已經用過，請會員重新出示。",
            "这个会员码已经用过，请会员重新出示。",
        ),
    ),
    "member_code_wrong": (
        422,
        _in(
            "This code is wrong. Ask the member to show a new one.",
            "這個會員碼不正確，請會員重新出示。",
            "这个会员码不正确，请会员重新出示。",
        ),
    ),
    "member_needed": (
        409,
        _in(
            "Several members have an order {order_id}; say whose it is with member_id.",
            "有多位會員的訂單編號是 {order_id}，請用 member_id 指明是哪一位。",
            "有多位会员的订单编号是 {order_id}，请用 member_id 指明是哪一位。",
        ),
    ),
    "member_unknown": (
        404,
        _in("There is no member {member_id}.", "沒有會員 {member_id}。", "没有会员 {member_id}。"),
    ),
    "method_not_allowed": (
        405,
        _in("This address does not know that method.", "這個網址不支援此方法。", "这个网址不支持此方法。"),
    ),
    "not_found": (
        404,
        _in("There is nothing at this address.", "這個網址沒有內容。", "这个网址没有内容。"),
    ),
    "read_too_long_ago": (
        422,
        _in(
            "A code can be brought up to {hours} hours after it was read.",
            "會員碼須在讀取後 {hours} 小時內送達。",
            "会员码须在读取后 {hours} 小时内送达。",
        ),
    ),
    "no_program": (
        503,
        _in(
            "No program is published yet. Publish one first.",
            "尚未發布任何方案，請先發布。",
            "尚未发布任何方案，请先发布。",
        ),
    ),
    "occurred_in_the_future": (
        400,
        _in(
            "occurred_at lies in the future; it is now {now}. Check the clock of the machine that sent this.",
            "occurred_at 在未來；現在是 {now}。請檢查送出端的時鐘。",
            "occurred_at 在未来；现在是 {now}。请检查发送端的时钟。",
        ),
    ),
    "program_not_sound": (
        409,
        _in(
            "The program has {count} errors; see the first of them.",
            "方案有 {count} 處錯誤，以下列出前幾處。",
            "方案有 {count} 处错误，以下列出前几处。",
        ),
    ),
    "published_meanwhile": (
        409,
        _in(
            "Another version was published just now; look at what changes against it and publish again.",
            "剛剛已發布另一個版本；請先比較差異，再重新發布。",
            "刚刚已发布另一个版本；请先比较差异，再重新发布。",
        ),
    ),
    "rate_limited": (
        429,
        _in(
            "More than {per_minute} requests a minute with this key. Try again in {seconds} s.",
            "這把金鑰每分鐘超過 {per_minute} 次請求，請在 {seconds} 秒後再試。",
            "这个密钥每分钟超过 {per_minute} 次请求，请在 {seconds} 秒后再试。",
        ),
    ),
    "receiver_unknown": (
        422,
        _in(
            "There is no member {member_id} to receive it.",
            "沒有會員 {member_id} 可以收受。",
            "没有会员 {member_id} 可以接收。",
        ),
    ),
    "segment_in_use": (
        409,
        _in(
            "The segment {by} asks for {segment_id}. Change that one first.",
            "分群 {by} 的條件用到了 {segment_id}，請先更改該分群。",
            "人群 {by} 的条件用到了 {segment_id}，请先修改该人群。",
        ),
    ),
    "segment_is_dynamic": (
        409,
        _in(
            "Who is in {segment_id} is what its condition says. Put members into a segment without one.",
            "{segment_id} 的成員由條件決定。若要自行加入會員，請使用沒有條件的分群。",
            "{segment_id} 的成员由条件决定。若要自行加入会员，请使用没有条件的人群。",
        ),
    ),
    "segment_is_static": (
        409,
        _in(
            "{segment_id} is a list and has no condition.",
            "{segment_id} 是名單，沒有條件。",
            "{segment_id} 是名单，没有条件。",
        ),
    ),
    "segment_taken": (
        409,
        _in(
            "There is a segment {segment_id} already.",
            "已經有分群 {segment_id}。",
            "已经有人群 {segment_id}。",
        ),
    ),
    "segment_unknown": (
        404,
        _in("There is no segment {segment_id}.", "沒有分群 {segment_id}。", "没有人群 {segment_id}。"),
    ),
    "segment_within_itself": (
        422,
        _in(
            "The condition leads back to the segment {segment_id} itself.",
            "條件繞回了分群 {segment_id} 本身。",
            "条件绕回了人群 {segment_id} 本身。",
        ),
    ),
    "too_many_segments": (
        409,
        _in(
            "There are {most} segments, which is the most. Remove one first.",
            "分群已達上限 {most} 個，請先刪除一個。",
            "人群已达上限 {most} 个，请先删除一个。",
        ),
    ),
    "scope_missing": (
        403,
        _in(
            "This API key lacks the scope {scope}.",
            "這把 API 金鑰沒有 {scope} 權限。",
            "这个 API 密钥没有 {scope} 权限。",
        ),
    ),
    "too_many_endpoints": (
        409,
        _in(
            "There are {most} endpoints already; more than that are not told of events.",
            "已有 {most} 個端點，不能再增加。",
            "已有 {most} 个端点，不能再增加。",
        ),
    ),
    "url_invalid": (
        422,
        _in("This is no URL that can be called.", "這不是可以呼叫的網址。", "这不是可以调用的网址。"),
    ),
    "url_not_https": (
        422,
        _in("The URL must begin with https.", "網址須以 https 開頭。", "网址须以 https 开头。"),
    ),
    "url_too_long": (
        422,
        _in("The URL is too long.", "網址太長。", "网址太长。"),
    ),
    "url_with_credentials": (
        422,
        _in(
            "The URL must not hold a user name or password: requests are signed instead.",
            "網址不得包含帳號或密碼，請求改以簽章驗證。",
            "网址不得包含用户名或密码，请求改以签名验证。",
        ),
    ),
    "url_with_fragment": (
        422,
        _in("The URL must not have a part after #.", "網址不得包含 # 之後的部分。", "网址不得包含 # 之后的部分。"),
    ),
    "version_unchanged": (
        409,
        _in(
            "Version {version} is this very program. Nothing was changed.",
            "版本 {version} 就是這份方案，沒有任何變更。",
            "版本 {version} 就是这份方案，没有任何变更。",
        ),
    ),
    "version_unknown": (
        404,
        _in("There is no version {version}.", "沒有版本 {version}。", "没有版本 {version}。"),
    ),
    "wrong_type": (
        415,
        _in(
            "Send the body as {expected}.",
            "請以 {expected} 格式送出內容。",
            "请以 {expected} 格式发送内容。",
        ),
    ),
}
"""Code, status, and what is said."""

ERRORS: Final[dict[str, Sentences]] = {
    "missing": _in("This is missing.", "缺少此欄位。", "缺少此字段。"),
    "extra_forbidden": _in("There is no such field.", "沒有這個欄位。", "没有这个字段。"),
    "json_invalid": _in("This is not valid JSON: {error}", "不是有效的 JSON：{error}", "不是有效的 JSON：{error}"),
    "int_type": _in("This must be a whole number.", "須為整數。", "须为整数。"),
    "int_parsing": _in("This must be a whole number.", "須為整數。", "须为整数。"),
    "bool_type": _in("This must be true or false.", "須為 true 或 false。", "须为 true 或 false。"),
    "not_text": _in(
        "This is not text in UTF-8, or contains the character zero.",
        "這不是 UTF-8 文字，或含有零字元。",
        "这不是 UTF-8 文字，或含有零字符。",
    ),
    "string_type": _in("This must be text.", "須為文字。", "须为文字。"),
    "list_type": _in("This must be a list.", "須為清單。", "须为列表。"),
    "dict_type": _in("This must be an object.", "須為物件。", "须为对象。"),
    "model_attributes_type": _in("This must be an object.", "須為物件。", "须为对象。"),
    "model_type": _in("This must be an object.", "須為物件。", "须为对象。"),
    "greater_than_equal": _in("This must be {ge} or more.", "須大於或等於 {ge}。", "须大于或等于 {ge}。"),
    "greater_than": _in("This must be more than {gt}.", "須大於 {gt}。", "须大于 {gt}。"),
    "less_than_equal": _in("This must be {le} or less.", "須小於或等於 {le}。", "须小于或等于 {le}。"),
    "less_than": _in("This must be less than {lt}.", "須小於 {lt}。", "须小于 {lt}。"),
    "string_too_short": _in(
        "This needs at least {min_length} characters.", "至少須 {min_length} 個字元。", "至少须 {min_length} 个字符。"
    ),
    "string_too_long": _in(
        "This may have at most {max_length} characters.", "最多 {max_length} 個字元。", "最多 {max_length} 个字符。"
    ),
    "too_short": _in("This needs at least {min_length} items.", "至少須 {min_length} 項。", "至少须 {min_length} 项。"),
    "too_long": _in("This may have at most {max_length} items.", "最多 {max_length} 項。", "最多 {max_length} 项。"),
    "string_pattern_mismatch": _in(
        "This does not look as it should: {pattern}", "格式不符：{pattern}", "格式不符：{pattern}"
    ),
    "literal_error": _in("This must be one of {expected}.", "須為下列之一：{expected}。", "须为下列之一：{expected}。"),
    "enum": _in("This must be one of {expected}.", "須為下列之一：{expected}。", "须为下列之一：{expected}。"),
    "value_error": _in("{error}", "{error}", "{error}"),
    "told_elsewhere": _in(
        "This cannot be told here; it comes from {by}.", "這裡不能告知，它來自 {by}。", "这里不能告知，它来自 {by}。"
    ),
    "ends_before_it_begins": _in("This ends before it begins.", "結束早於開始。", "结束早于开始。"),
    "kind_invalid": _in(
        "This is no kind of identity: small letters, digits and _ : . -, a letter first.",
        "不是識別種類：請用小寫字母、數字與 _ : . -，以字母開頭。",
        "不是标识种类：请用小写字母、数字与 _ : . -，以字母开头。",
    ),
    "identity_too_long": _in("An identity has at most 200 characters.", "最多 200 個字元。", "最多 200 个字符。"),
    "identity_has_control_characters": _in(
        "Control characters are not allowed.", "不可含有控制字元。", "不可含有控制字符。"
    ),
    "unseen_character": _in(
        "Characters that nobody sees are not allowed: {character}.",
        "不可含有看不見的字元：{character}。",
        "不可含有看不见的字符：{character}。",
    ),
    "identity_placeholder": _in(
        "This stands for nothing, and would be everybody's.", "這不代表任何人。", "这不代表任何人。"
    ),
    "not_told": _in(
        "Nothing of this kind is among the identities told.",
        "所告知的識別資料中沒有這一種。",
        "所告知的身份标识中没有这一种。",
    ),
    "not_a_phone": _in(
        "This is no phone number that anybody could have; write it with its country code, such as +886.",
        "不是有效的電話號碼；請加上國碼，例如 +886。",
        "不是有效的电话号码；请加上国家代码，例如 +86。",
    ),
    "not_an_email": _in("This is no e-mail address.", "不是有效的電子郵件地址。", "不是有效的电子邮件地址。"),
    "one_identity": _in("Ask for one identity at a time.", "一次只能查一個識別資料。", "一次只能查一个身份标识。"),
    "cursor_invalid": _in(
        "This is no cursor of ours, or one of something else.", "這不是此處給出的游標。", "这不是此处给出的游标。"
    ),
    "in_the_future": _in(
        "This lies in the future; it is now {now}.", "這在未來；現在是 {now}。", "这在未来；现在是 {now}。"
    ),
}
"""What is wrong with one field, by the type of error that pydantic reports."""

UNREADABLE: Final = _in("This cannot be read.", "無法讀取。", "无法读取。")
"""For any other type of error."""
