{#- A text in Unicode's composed form (NFC), for which neither engine has a function: a letter and the combining mark after it become one
    letter. Covers Latin, Greek, Cyrillic and kana letters, with several marks too. -#}
{%- macro composed(value) -%}
    {%- set pairs = [] -%}
    {%- for mark, letters in _compositions().items() -%}
        {%- for place in range(0, letters | length, 2) -%}{%- do pairs.append(letters[place] ~ mark ~ letters[place + 1]) -%}{%- endfor -%}
    {%- endfor -%}
    {#- in `pairs`, a letter and its mark are followed by the composed letter -#}
    aggregate(
        split({{ _marks_in_order(value) }}, ''),
        '',
        (text, letter) -> case
            when text = '' or not letter rlike {{ _combining_marks() }} then concat(text, letter)
            else coalesce(
                concat(
                    substring(text, 1, length(text) - 1),
                    nullif(substring(split_part({{ sql_literal(pairs | join) }}, concat(right(text, 1), letter), 2), 1, 1), '')
                ),
                concat(text, letter)
            )
        end
    )
{%- endmacro -%}

{%- macro _combining_marks() -%}
    {{- return(sql_literal('[\\x{0300}-\\x{0345}\\x{3099}\\x{309a}]')) -}}
{%- endmacro -%}

{#- The marks of a letter in their canonical order: attached ones, those below, those above. -#}
{%- macro _marks_in_order(value) -%}
    {%- set attached = '[\\x{031b}\\x{0321}\\x{0322}\\x{0327}\\x{0328}\\x{0334}-\\x{0338}]' -%}
    {%- set below = '[\\x{0316}-\\x{0319}\\x{031c}-\\x{0320}\\x{0323}-\\x{0326}\\x{0329}-\\x{0333}\\x{0339}-\\x{033c}]' -%}
    {%- set above = '[\\x{0300}-\\x{0315}\\x{031a}\\x{033d}-\\x{0344}]' -%}
    {%- set step = namespace(sql=value) -%}
    {%- for later, earlier in [(above, below), (above, attached), (below, attached)] -%}
        {%- set step.sql = 'regexp_replace(' ~ step.sql ~ ', ' ~ sql_literal('(' ~ later ~ '+)(' ~ earlier ~ '+)') ~ ", '$2$1')" -%}
    {%- endfor -%}
    {{- return(step.sql) -}}
{%- endmacro -%}

{#- A mark, and the letters that take it, each followed by the letter with it. -#}
{%- macro _compositions() -%}
    {{- return({
        '\u0300': 'AÀEÈIÌOÒUÙaàeèiìoòuùÜǛüǜNǸnǹЕЀИЍеѐиѝĒḔēḕŌṐōṑWẀwẁÂẦâầĂẰăằÊỀêềÔỒôồƠỜơờƯỪưừYỲyỳἀἂἁἃἈἊἉἋἐἒἑἓἘἚἙἛἠἢἡἣἨἪἩἫἰἲἱἳἸἺἹἻὀὂὁὃὈὊὉὋὐὒὑὓὙὛὠὢὡὣὨὪὩὫαὰεὲηὴιὶοὸυὺωὼΑᾺΕῈΗῊ᾿῍ϊῒΙῚ῾῝ϋῢΥῪ¨῭ΟῸΩῺ',
        '\u0301': 'AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźÜǗüǘGǴgǵÅǺåǻÆǼæǽØǾøǿ¨΅ΑΆΕΈΗΉΙΊΟΌΥΎΩΏϊΐαάεέηήιίϋΰοόυύωώϒϓГЃКЌгѓкќÇḈçḉĒḖēḗÏḮïḯKḰkḱMḾmḿÕṌõṍŌṒōṓPṔpṕŨṸũṹWẂwẃÂẤâấĂẮăắÊẾêếÔỐôốƠỚơớƯỨưứἀἄἁἅἈἌἉἍἐἔἑἕἘἜἙἝἠἤἡἥἨἬἩἭἰἴἱἵἸἼἹἽὀὄὁὅὈὌὉὍὐὔὑὕὙὝὠὤὡὥὨὬὩὭ᾿῎῾῞',
        '\u0302': 'AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑẠẬạậẸỆẹệỌỘọộ',
        '\u0303': 'AÃNÑOÕaãnñoõIĨiĩUŨuũVṼvṽÂẪâẫĂẴăẵEẼeẽÊỄêễÔỖôỗƠỠơỡƯỮưữYỸyỹ',
        '\u0304': 'AĀaāEĒeēIĪiīOŌoōUŪuūÜǕüǖÄǞäǟȦǠȧǡÆǢæǣǪǬǫǭÖȪöȫÕȬõȭȮȰȯȱYȲyȳИӢиӣУӮуӯGḠgḡḶḸḷḹṚṜṛṝαᾱΑᾹιῑΙῙυῡΥῩ',
        '\u0306': 'AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭУЎИЙийуўЖӁжӂАӐаӑЕӖеӗȨḜȩḝẠẶạặαᾰΑᾸιῐΙῘυῠΥῨ',
        '\u0307': 'CĊcċEĖeėGĠgġIİZŻzżAȦaȧOȮoȯBḂbḃDḊdḋFḞfḟHḢhḣMṀmṁNṄnṅPṖpṗRṘrṙSṠsṡŚṤśṥŠṦšṧṢṨṣṩTṪtṫWẆwẇXẊxẋYẎyẏſẛ',
        '\u0308': 'AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋϒϔЕЁІЇеёіїАӒаӓӘӚәӛЖӜжӝЗӞзӟИӤиӥОӦоӧӨӪөӫЭӬэӭУӰуӱЧӴчӵЫӸыӹHḦhḧÕṎõṏŪṺūṻWẄwẅXẌxẍtẗ',
        '\u0309': 'AẢaảÂẨâẩĂẲăẳEẺeẻÊỂêểIỈiỉOỎoỏÔỔôổƠỞơởUỦuủƯỬưửYỶyỷ',
        '\u030a': 'AÅaåUŮuůwẘyẙ',
        '\u030b': 'OŐoőUŰuűУӲуӳ',
        '\u030c': 'CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔÜǙüǚGǦgǧKǨkǩƷǮʒǯjǰHȞhȟ',
        '\u030f': 'AȀaȁEȄeȅIȈiȉOȌoȍRȐrȑUȔuȕѴѶѵѷ',
        '\u0311': 'AȂaȃEȆeȇIȊiȋOȎoȏRȒrȓUȖuȗ',
        '\u0313': 'αἀΑἈεἐΕἘηἠΗἨιἰΙἸοὀΟὈυὐωὠΩὨρῤ',
        '\u0314': 'αἁΑἉεἑΕἙηἡΗἩιἱΙἹοὁΟὉυὑΥὙωὡΩὩρῥΡῬ',
        '\u031b': 'OƠoơUƯuư',
        '\u0323': 'BḄbḅDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓAẠaạEẸeẹIỊiịOỌoọƠỢơợUỤuụƯỰưựYỴyỵ',
        '\u0324': 'UṲuṳ',
        '\u0325': 'AḀaḁ',
        '\u0326': 'SȘsșTȚtț',
        '\u0327': 'CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ',
        '\u0328': 'AĄaąEĘeęIĮiįUŲuųOǪoǫ',
        '\u032d': 'DḒdḓEḘeḙLḼlḽNṊnṋTṰtṱUṶuṷ',
        '\u032e': 'HḪhḫ',
        '\u0330': 'EḚeḛIḬiḭUṴuṵ',
        '\u0331': 'BḆbḇDḎdḏKḴkḵLḺlḻNṈnṉRṞrṟTṮtṯZẔzẕhẖ',
        '\u0342': 'ἀἆἁἇἈἎἉἏἠἦἡἧἨἮἩἯἰἶἱἷἸἾἹἿὐὖὑὗὙὟὠὦὡὧὨὮὩὯαᾶ¨῁ηῆ᾿῏ιῖϊῗ῾῟υῦϋῧωῶ',
        '\u0345': 'ἀᾀἁᾁἂᾂἃᾃἄᾄἅᾅἆᾆἇᾇἈᾈἉᾉἊᾊἋᾋἌᾌἍᾍἎᾎἏᾏἠᾐἡᾑἢᾒἣᾓἤᾔἥᾕἦᾖἧᾗἨᾘἩᾙἪᾚἫᾛἬᾜἭᾝἮᾞἯᾟὠᾠὡᾡὢᾢὣᾣὤᾤὥᾥὦᾦὧᾧὨᾨὩᾩὪᾪὫᾫὬᾬὭᾭὮᾮὯᾯὰᾲαᾳάᾴᾶᾷΑᾼὴῂηῃήῄῆῇΗῌὼῲωῳώῴῶῷΩῼ',
        '\u3099': 'かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ',
        '\u309a': 'はぱひぴふぷへぺほぽハパヒピフプヘペホポ',
    }) -}}
{%- endmacro -%}
