"""Names that a choice hardly has, and ids that a voter hardly has: what spreadsheets and forms put beside the votes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_SUMMARIES = _words(
    "average|averages|avg|mean|median|total|totals|sum|sums|subtotal|grand total|result|results|count|counts|score|"
    "scores|total points|weight|weights|max points|possible|percent|percentage|"
    "minimum|maximum|std|stdev|standard deviation|variance|votes|number of votes|"
    "durchschnitt|mittelwert|schnitt|summe|gesamt|ergebnis|ergebnisse|anzahl|moyenne|somme|résultat|résultats|"
    "promedio|suma|resultado|resultados|somma|totale|risultato|gemiddelde|totaal|resultaat|média|średnia|razem|summa|"
    "keskiarvo|átlag|összesen|gesamtergebnis|gesamtsumme|teilergebnis|zwischensumme|gesamtmittelwert|total général|"
    "sous-total|moyenne générale|suma total|total general|promedio general|totale complessivo|subtotale|media|mediana|"
    "médiane|total geral|eindtotaal|subtotaal|suma końcowa|suma częściowa|totalt|medel|medelvärde|genomsnitt|"
    "gennemsnit|gjennomsnitt|итого|общий итог|всего|среднее|сумма|合計|総計|小計|平均|合计|总计|平均值|"
    "총합계|합계|평균|σύνολο|toplam|ortalama|punktestand|gesamtpunktzahl|gesamtpunkte|puntuación|"
    "puntuación total|pontuação|pontuação total|score total|note totale|punteggio|punteggio totale|スコア|合計スコア|"
    "ø|∅|σ|row mean|row sum|row total|grand mean|all"
)
# Choices perhaps, and hardly ever voters.
_STATISTICS = _words(
    "std dev|std. dev.|stdev.|stddev|std.abw.|standardabweichung|écart type|25%|50%|75%|10%|90%|95%|99%|skew|kurtosis|"
    "unique|freq|quorum|responses|answers|threshold|blank|empty|leer|vide|none|null|nan|n/a"
)
# People are called so too: two of them, or one beside another of these words, are none.
_NAMES_TOO = _words("max|max.|min|min.|top|mode|sd|var|range|q1|q3|n")
_LABELS = re.compile(
    r"(\w.* )?(total|subtotal|ergebnis|teilergebnis|summe|totaal|totale|итог)|total \w.*|[nσ∑] ?= ?[0-9.,]+|"
    r"\((blank|leer|vide|empty|en blanco|vuoto|leeg|пусто|空白)\)"
)
_COUNTS = _words(
    "count|counts|weight|weights|anzahl|gewicht|poids|peso|multiplicity|frequency|n|number of ballots|freq|freq.|"
    "häufigkeit|fréquence|frecuencia|shares|anteile|parts|ballots|stimmen|size|quantity|qty|menge|gewichtung|"
    "unit|units|lots|seats|sitze|sièges|voix|power|voting power|stimmrechte|einheiten|household size|haushaltsgröße|"
    "households|haushalte|foyers|hogares|famiglie|huishoudens|hushåll|husstande|"
    "people|persons|personen|personnes|personas|persone|mitglieder|membres|miembros|membri|leden|multiplicité"
)
_FLAGS = re.compile(
    r"(is|has|was)[ _]\w+|(in)?(active|valid)|deleted|removed|verified|confirmed|approved|archived|hidden|spam|test|"
    r"draft|submitted|completed?|finished|consent|paid|attended|eligible|checked|duplicate|aktiv|inaktiv|gelöscht|"
    r"geprüft|bestätigt|gültig|ungültig|bezahlt|archiviert|actif|inactif|supprimé|valide|activo|inactivo|eliminado|"
    r"attivo|eliminato"
)
_SCALE = re.compile(r"\b1\s*[=:]\s*([^\W\d]+(?: \w+)?)")
_LOW = re.compile(
    r"(worst|bad|poor|low|least|no|never|weak|dislike|hate|strongly disagree|disagree|unimportant|schlecht|gar|nicht|"
    r"niedrig|schwach|mangelhaft|unwichtig|kein|mauvais|pas|peu|faible|malo|peor|poco|nada|cattivo|peggiore|slecht|"
    r"niet)\w*",
    re.IGNORECASE,
)
_COUNT_WORDS = re.compile(r"\w+ (count|weight)|(count|weight|number|#|no\.?) of \w+")
_SUMMARY_WORDS = re.compile(
    r"\w+ (total|average|avg\.?|mean|sum|score|rank)|(total|average|avg|mean|sum|rank|score) (of )?\w+|points - .+"
)
_FEEDBACK = re.compile(r"quiz feedback|(feedback|kommentar|comment) - .+")
_RANKS = re.compile(r"(.*\W)?(ranks?|ranking|ranked|rang|platz|platzierung|puesto|posizione)(\W.*)?")
_NUMBERINGS = _words("#|no.|nr|nr.|num|number|id|nummer|zeile|lfd. nr.|points|rank|ranking|punkte|pts|points total")
_ABOUT = _words(
    "timestamp|time|date|datetime|zeitstempel|horodateur|marca temporal|informazioni cronologiche|tijdstempel|"
    "タイムスタンプ|carimbo de data/hora|data e hora|sygnatura czasowa|отметка времени|时间戳记|時間戳記|타임스탬프|"
    "開始時刻|完了時刻|最終変更時刻|startzeit|fertigstellungszeit|zeitpunkt der letzten änderung|heure de début|"
    "heure de fin|heure de la dernière modification|hora de inicio|hora de finalización|hora de la última modificación|"
    "hora de início|hora de conclusão|hora da última modificação|"
    "start time|completion time|last modified time|start date|end date|startdate|enddate|submitdate|datestamp|"
    "start date (utc)|submit date (utc)|submitted at|created at|created|updated at|recorded date|recordeddate|"
    "lastpage|last page|startlanguage|start language|language|seed|network id|ip|ip address|ipaddress|status|progress|"
    "duration|finished|collector id|custom data 1|response type|user agent|device|source|tags|date submitted|"
    "comment|comments|remark|remarks|note|notes|feedback|kommentar|bemerkung|commentaire|comentario|comentarios|"
    "stage date (utc)|ending|date created|date modified|custom 1|duration (in seconds)|distribution channel|"
    "user language|recipient last name|recipient first name|recipient email|external reference|"
    "external data reference|location latitude|location longitude|"
    "notiz|notizen|anmerkung|anmerkungen|remarque|nota|notas|observaciones|opmerking|uwagi|household|age group|"
    "altersgruppe|alter|geschlecht|haushalt|floor|apartment|flat|apt|flat no|"
    "apartment no|unit no|wohnung|hausnummer|filename|file name|file index|file row number|"
    "first name|last name|firstname|lastname|phone|age|gender|precinct|votetime|vote time|cast at"
)
# The surest first.
PEOPLE = _words(
    "email address|e-mail address|email|e-mail|e-mail-adresse|adresse e-mail|dirección de correo electrónico|"
    "メールアドレス|endereço de e-mail|endereço de email|correo electrónico|indirizzo email|e-mailadres|adres e-mail|"
    "электронная почта|адрес электронной почты|电子邮件地址|電子郵件地址|이메일 주소|username|"
    "user name|voter id|voterid|voter|member id|member|ballot id|user id|userid|user|respondent id|respondentid|"
    "response id|responseid|submission id|token|participant|nutzername|benutzername|wähler|votant|"
    "ユーザー名|回答者|usuário|eleitor|elector|votante|membro|miembro|membre|mitglied|id|name|名前|氏名|お名前|nome|"
    "nome completo|nombre|nombre completo|nom|nom complet|vollständiger name|full name|naam|imię i nazwisko|имя|"
    "姓名|이름|#"
)
_REMARK = (
    r"^((generated|exported|created|downloaded|produced|printed|powered) (by|with|from|on|at)\b|source:|©|\(c\) |"
    r"(erstellt|exportiert|généré|generado) |"
    r"((grand )?total|average|avg|mean|number of|result|durchschnitt|summe|gesamt|ergebnis) )"
)


def plain(name: str) -> str:
    """A name in small letters, with single blanks instead of underscores."""
    return " ".join(name.replace("_", " ").lower().split())


def counts_ballots(header: str) -> bool:
    """Whether a column seems to say how many ballots a line stands for."""
    return plain(header) in _COUNTS or bool(_COUNT_WORDS.fullmatch(plain(header)))


def is_flag(header: str, cells: pl.Series) -> bool:
    """Whether a column of 0 and 1 is called like something that is so or not."""
    known = cells.cast(str).drop_nulls()
    return bool(_FLAGS.fullmatch(plain(header))) and len(known) > 0 and bool(known.is_in(["0", "1"]).all())


def says_one_is_best(header: str) -> bool:
    """Whether a header says what a 1 stands for, and that does not sound like the least."""
    found = _SCALE.search(header)
    return found is not None and not _LOW.match(found[1])


def is_summary(header: str) -> bool:
    """Whether a column seems to sum up others."""
    name = plain(header)
    return name.rstrip(" .:") in _SUMMARIES or bool(_SUMMARY_WORDS.fullmatch(name))


def is_rank(header: str) -> bool:
    """Whether a column seems to hold ranks."""
    return bool(_RANKS.fullmatch(plain(header)))


def is_about_the_ballot(header: str) -> bool:
    """Whether a column seems to number the ballots, or to say something about them, and to hold no stars."""
    return plain(header) in _NUMBERINGS or holds_no_stars(header)


def holds_no_stars(header: str) -> bool:
    """Whether a column is called like one that forms write beside the answers."""
    return plain(header) in _ABOUT or plain(header) in PEOPLE or bool(_FEEDBACK.fullmatch(plain(header)))


def are_no_voters(rows: pl.Series) -> pl.Series:
    """Whether rows are called like a summary (Average, Total:), or like a remark about the file (Generated by …)."""
    names = rows.str.to_lowercase().str.replace_all("_", " ").str.strip_chars(" :")
    known = names.is_in([*_SUMMARIES, *_STATISTICS]) | names.str.contains(rf"^({_LABELS.pattern})$")
    known = (known | names.str.contains(_REMARK)).fill_null(value=False)
    maybe = names.is_in(_NAMES_TOO).fill_null(value=False)
    return known | maybe if names.filter(known | maybe).n_unique() > 1 else known
