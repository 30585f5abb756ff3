#!/usr/bin/env python3
"""Makes orders.csv.gz, items.csv and codes.csv of the simulated world.

Input: one CSV (plain, .gz or .xz) with the lines of the public data set "Online Retail II" as UCI publishes it
(columns Invoice, StockCode, Quantity, InvoiceDate, Price), or the same already summed per day
(columns sku,date,qty,orders,avg_price).

    python3 make_data.py online_retail_II.csv

Output is the same bytes for the same input. Cleaning: lines of cancelled invoices (Invoice starts with C),
without a positive quantity or without a price, and exact repetitions are left out; quantities are summed per product and day.
Dates stay those of the source; the world shifts them by 5481 days (783 weeks, weekdays kept).

The catalog columns are ours: names in Chinese, sizes, weights, materials, costs and customs codes are plausible
values for goods of that kind, not facts about the retailer's goods.
"""
import csv
import datetime
import gzip
import itertools
import lzma
import math
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
CARTON_MAX_G = 15_000
CARTON_MAX_SIDE_MM = 635
CNY_PER_GBP = 9.2

# kind: customs name zh / en, HS China, HS United Kingdom, material zh / en, usage zh / en
KINDS = {
    "BAG": ("购物袋", "shopping bag", "4202920000", "4202929890", "聚丙烯编织布", "woven polypropylene", "购物收纳", "carrying goods"),
    "LUN": ("午餐袋", "insulated lunch bag", "4202920000", "4202929890", "棉布覆膜", "coated cotton", "携带食物", "carrying food"),
    "GLS": ("玻璃烛台", "glass candle holder", "7013990000", "7013990000", "玻璃", "glass", "家居装饰", "home decoration"),
    "BWL": ("玻璃碗", "glass bowl with lid", "7013490000", "7013499900", "玻璃", "glass", "厨房用具", "kitchen use"),
    "SGN": ("金属装饰牌", "metal sign", "8310000000", "8310000000", "铁皮", "tinplate", "家居装饰", "home decoration"),
    "WOD": ("木制装饰品", "wooden ornament", "4420199000", "4420190000", "松木", "pine wood", "家居装饰", "home decoration"),
    "FRM": ("木制相框", "wooden photo frame", "4414909000", "4414900000", "中密度纤维板", "fibreboard", "摆放照片", "framing pictures"),
    "NAP": ("纸餐巾", "paper napkins", "4818300000", "4818300000", "纸", "paper", "聚会用品", "party tableware"),
    "PLA": ("纸盘", "paper plates", "4823690000", "4823691000", "纸", "paper", "聚会用品", "party tableware"),
    "PAP": ("纸制品", "paper articles", "4823909000", "4823908597", "纸", "paper", "聚会用品", "party supplies"),
    "BUN": ("节庆彩旗", "party bunting", "9505900000", "9505900000", "棉布", "cotton", "节日装饰", "festive decoration"),
    "XMS": ("圣诞装饰品", "Christmas decoration", "9505100090", "9505109000", "木及纸", "wood and paper", "圣诞装饰", "Christmas decoration"),
    "CRD": ("贺卡", "greeting card", "4909009000", "4909000000", "纸", "paper", "祝贺", "greeting"),
    "RIB": ("织带", "narrow woven ribbon", "5806320000", "5806321000", "涤纶", "polyester", "包装手工", "wrapping and crafts"),
    "HWB": ("热水袋", "rubber hot water bottle", "4014900000", "4014900000", "天然橡胶及绒布", "natural rubber, fleece cover", "取暖", "keeping warm"),
    "LIT": ("LED灯", "LED night light", "9405210090", "9405214090", "塑料", "plastic", "照明", "lighting"),
    "STR": ("LED灯串", "LED lighting string", "9405310000", "9405310000", "塑料及铜线", "plastic and copper wire", "节日照明", "festive lighting"),
    "CER": ("陶瓷杯壶", "stoneware mug or teapot", "6912001000", "6912002300", "炻瓷", "stoneware", "饮茶", "drinking"),
    "GAM": ("纸牌游戏", "card game", "9504400000", "9504400000", "纸", "paper", "娱乐", "playing"),
    "DOM": ("多米诺骨牌", "wooden dominoes", "9504909000", "9504908090", "木", "wood", "娱乐", "playing"),
    "PEN": ("铅笔", "graphite pencils", "9609101000", "9609101000", "木及石墨", "wood and graphite", "书写", "writing"),
    "CHK": ("粉笔", "chalk sticks", "9609900000", "9609909000", "碳酸钙", "calcium carbonate", "书写", "drawing"),
    "BOX": ("塑料餐盒", "plastic lunch box", "3924100000", "3924100090", "聚丙烯", "polypropylene", "盛放食物", "holding food"),
    "CLK": ("石英挂钟", "quartz wall clock", "9105210000", "9105210000", "铁及玻璃", "iron and glass", "计时", "telling time"),
    "KNB": ("亚克力拉手", "acrylic drawer knob", "3926300000", "3926300090", "亚克力", "acrylic", "家具配件", "furniture fitting"),
    "CUT": ("饼干模具", "cookie cutter", "8205510000", "8205510090", "不锈钢", "stainless steel", "烘焙", "baking"),
    "CTL": ("餐具套装", "cutlery set", "8215990000", "8215999000", "不锈钢及塑料", "stainless steel and plastic", "用餐", "eating"),
    "CLI": ("卡包", "card wallet", "4202320000", "4202321000", "聚氯乙烯", "PVC", "放置卡片", "holding cards"),
}

# The kind of goods that admission rules know them as.
CATEGORY = {
    "BAG": "bag",
    "LUN": "bag",
    "WOD": "homeware",
    "SGN": "homeware",
    "GLS": "homeware",
    "BWL": "kitchen",
    "FRM": "homeware",
    "NAP": "kitchen",
    "PLA": "kitchen",
    "PAP": "stationery",
    "CRD": "stationery",
    "RIB": "textile",
    "XMS": "homeware",
    "BUN": "homeware",
    "HWB": "homeware",
    "LIT": "lamp",
    "STR": "lamp",
    "CER": "kitchen",
    "GAM": "toy",
    "DOM": "toy",
    "PEN": "stationery",
    "CHK": "stationery",
    "BOX": "kitchen",
    "CLK": "electrical",
    "KNB": "homeware",
    "CUT": "kitchen",
    "CTL": "kitchen",
    "CLI": "bag",
}

# Who makes it: name, address, city, and customs' code of the region (境内货源地).
YIWU = ("Yiwu Qingfeng Crafts Co., Ltd.", "66 Yinhai Road", "Yiwu", "33079")
DONGGUAN = ("Dongguan Hengxin Home Products Co., Ltd.", "12 Zhenan Road, Changan", "Dongguan", "44199")
FROM_YIWU = {"BAG", "LUN", "CLI", "BUN", "RIB", "XMS", "HWB", "PAP", "CRD", "NAP", "PLA"}


def customs(kind, code, english, net):
    """What the export declaration asks: 申报要素 (own brand, no preference, use, material, brand, model), units and origin."""
    _, _, _, _, material, _, use, _ = KINDS[kind]
    elements = f"1|0|{use}|{material}制|LANTING牌|LT-{code}"
    # 006 套 sets, 007 个 pieces; 035 千克 is the legal unit of most, 008 只 that of clocks, and bags are counted besides.
    unit = "006" if re.match(r"(Set|Pack|Box) of |6 Ribbons|Wood Set", english) else "007"
    legal = ("008", "1") if kind == "CLK" else ("035", f"{net / 1000:.3f}")
    second = ("007", "1") if KINDS[kind][2].startswith("4202") else ("", "")
    name, address, city, region = YIWU if kind in FROM_YIWU else DONGGUAN
    return [elements, unit, *legal, *second, region, "1", name, address, city]


# stock code, kind, English name, Chinese name, unit mm (l, w, h), unit net g, units per carton, cost CNY
GOODS = """
22386|BAG|Jumbo Bag Pink Polkadot|粉色波点大号购物袋|300,240,9|165|60|6.80
21931|BAG|Jumbo Storage Bag Suki|苏琪图案大号收纳袋|300,240,9|170|60|7.10
21930|BAG|Jumbo Storage Bag Skulls|骷髅图案大号收纳袋|300,240,9|170|60|7.10
85099F|BAG|Jumbo Bag Strawberry|草莓图案大号购物袋|300,240,9|165|60|6.80
22385|BAG|Jumbo Bag Spaceboy Design|太空男孩大号购物袋|300,240,9|165|60|6.80
22379|BAG|Recycling Bag Retrospot|复古圆点回收袋|320,260,10|190|50|7.60
20723|BAG|Strawberry Charlotte Bag|草莓图案夏洛特手提袋|240,200,8|75|120|2.90
23204|BAG|Charlotte Bag Apples Design|苹果图案夏洛特手提袋|240,200,8|75|120|2.90
22384|LUN|Lunch Bag Pink Polkadot|粉色波点午餐袋|230,190,18|120|72|5.60
20728|LUN|Lunch Bag Cars Blue|蓝色汽车午餐袋|230,190,18|120|72|5.60
23206|LUN|Lunch Bag Apple Design|苹果图案午餐袋|230,190,18|120|72|5.60
23207|LUN|Lunch Bag Alphabet Design|字母图案午餐袋|230,190,18|120|72|5.60
84879|WOD|Assorted Colour Bird Ornament|彩色小鸟挂饰|110,60,45|52|144|3.20
85152|SGN|Hand Over The Chocolate Sign|“交出巧克力”铁皮牌|250,120,6|180|60|4.80
21166|SGN|Cook With Wine Metal Sign|“下厨配酒”铁皮牌|270,150,5|205|60|4.60
21907|SGN|I'm On Holiday Metal Sign|“我在度假”铁皮牌|270,150,5|205|60|4.70
82580|SGN|Bathroom Metal Sign|浴室铁皮牌|150,70,4|60|180|1.60
82583|SGN|Hot Baths Metal Sign|热水浴铁皮牌|250,130,5|190|60|4.70
21770|SGN|Open Closed Metal Sign|营业打烊铁皮牌|300,200,6|330|36|8.90
84970S|GLS|Hanging Heart Zinc T-light Holder|锌制心形吊挂烛台|95,90,60|130|72|2.70
84755|GLS|Colour Glass T-light Holder Hanging|彩色玻璃吊挂烛台|80,75,75|125|72|2.30
22178|GLS|Victorian Glass Hanging T-light|维多利亚玻璃吊烛台|85,85,95|155|60|3.30
21326|GLS|Aged Glass Silver T-light Holder|做旧银玻璃烛台|75,75,70|140|72|2.20
22791|GLS|T-light Glass Fluted Antique|复古凹槽玻璃烛台|80,80,65|150|72|3.10
21730|GLS|Glass Star Frosted T-light Holder|磨砂星形玻璃烛台|150,145,60|310|30|9.80
20914|BWL|Set of 5 Red Retrospot Lid Glass Bowls|红点带盖玻璃碗五件套|160,160,150|980|12|14.50
82494L|FRM|Wooden Frame Antique White|复古白木相框|230,180,20|260|36|8.20
82486|FRM|Wood Set of 3 Cabinet Antique White Finish|复古白木柜三件套|330,230,160|2100|6|42.00
21080|NAP|Set of 20 Red Retrospot Paper Napkins|红点纸餐巾20张|165,165,25|75|144|2.30
21985|NAP|Pack of 12 Hearts Design Tissues|爱心面纸12片|110,55,20|22|288|0.80
21094|PLA|Set of 6 Red Spotty Paper Plates|红点纸盘6只|180,180,20|95|96|2.60
22417|PAP|Pack of 60 Spaceboy Cake Cases|太空男孩蛋糕纸托60只|80,80,60|35|144|1.70
84988|PAP|Set of 72 Pink Heart Paper Doilies|粉色爱心蕾丝纸垫72张|140,140,25|90|120|3.90
84692|PAP|Box of 24 Cocktail Parasols|鸡尾酒小伞24支|115,75,30|45|180|1.20
21495|PAP|Skulls and Crossbones Wrap|骷髅图案包装纸|500,30,30|48|200|1.10
22029|CRD|Spaceboy Birthday Card|太空男孩生日卡|170,125,3|21|360|1.00
21519|CRD|Gin & Tonic Diet Greeting Card|金汤力节食贺卡|170,125,3|21|360|1.00
22077|RIB|6 Ribbons Rustic Charm|田园织带6卷|210,95,25|85|120|4.40
22075|XMS|6 Ribbons Elegant Christmas|典雅圣诞织带6卷|210,95,25|85|120|4.30
22080|RIB|Ribbon Reel Polkadots|波点织带卷|160,90,35|95|96|4.50
47566|BUN|Party Bunting|聚会三角彩旗|240,180,20|210|48|13.80
23298|BUN|Spotty Bunting|圆点三角彩旗|240,180,20|210|48|13.80
22088|PAP|Paper Bunting Coloured Lace|彩色蕾丝纸拉旗|230,110,25|85|96|7.40
22241|BUN|Garland Wooden Happy Easter|复活节木制挂饰|220,110,20|120|72|3.60
22578|XMS|Wooden Star Christmas Scandinavian|北欧风圣诞木星|115,110,10|38|216|2.10
22910|XMS|Paper Chain Kit Vintage Christmas|复古圣诞纸链套装|220,160,15|140|72|7.20
22834|HWB|Hand Warmer Babushka Design|套娃图案暖手袋|125,90,20|115|96|5.30
22112|HWB|Chocolate Hot Water Bottle|巧克力色热水袋|330,200,40|390|24|13.60
22113|HWB|Grey Heart Hot Water Bottle|灰色爱心热水袋|330,200,40|390|24|13.20
21731|LIT|Red Toadstool LED Night Light|红蘑菇LED小夜灯|75,75,75|58|144|4.70
79321|STR|Chilli Lights|辣椒LED灯串|200,150,80|330|24|14.60
21877|CER|Home Sweet Home Mug|“甜蜜的家”马克杯|125,95,100|330|36|4.60
21527|CER|Red Retrospot Traditional Teapot|红点传统茶壶|240,165,160|890|12|21.50
21790|GAM|Vintage Snap Cards|复古配对纸牌|95,70,25|85|144|2.60
21889|DOM|Wooden Box of Dominoes|木盒多米诺|155,50,35|150|72|4.10
20974|PEN|12 Pencils Small Tube Skull|骷髅铅笔筒12支|105,40,40|58|192|2.10
21918|CHK|Set of 12 Kids Colour Chalk Sticks|儿童彩色粉笔12支|95,75,20|110|120|1.40
21559|BOX|Strawberry Lunch Box With Cutlery|草莓餐盒带餐具|180,130,70|215|36|7.70
22192|CLK|Café Diner Wall Clock Blue|蓝色咖啡馆挂钟|300,300,60|820|10|27.50
22771|KNB|Clear Drawer Knob Acrylic Edwardian|爱德华透明亚克力拉手|55,45,45|48|240|3.40
22966|CUT|Gingerbread Man Cookie Cutter|姜饼人饼干模|110,85,28|42|192|3.10
84997D|CTL|Pink 3 Piece Polkadot Cutlery Set|粉色波点餐具三件套|230,90,30|175|60|9.40
22998|CLI|Travel Card Wallet Keep Calm|“保持冷静”旅行卡包|105,75,6|24|300|1.20
"""
# Sold and counted by threes at the third-party warehouse.
TRIPLES = {"20974"}
# One of the two channels only.
FBA_ONLY = {"82486", "21527", "22192", "21730", "20914"}
MERCHANT_ONLY = {"21985", "22029", "21519", "22998"}


def read_days(path, wanted):
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(pathlib.Path(path).suffix, open)
    days = {}
    with opener(path, "rt", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        if "sku" in reader.fieldnames:
            for row in reader:
                if row["sku"] in wanted:
                    days[row["sku"], row["date"]] = (int(float(row["qty"])), int(row["orders"]), float(row["avg_price"]))
            return days
        sums, seen = {}, set()
        for row in reader:
            # The source repeats some lines word for word.
            whole = tuple(row.values())
            if whole in seen:
                continue
            seen.add(whole)
            code, quantity, price = row["StockCode"].strip().upper(), int(row["Quantity"]), float(row["Price"])
            if code not in wanted or row["Invoice"].startswith("C") or quantity <= 0 or price <= 0:
                continue
            text = row["InvoiceDate"].split()[0]
            form = "%m/%d/%Y" if "/" in text else "%Y-%m-%d"
            day = datetime.datetime.strptime(text, form).date().isoformat()
            entry = sums.setdefault((code, day), [0, set(), 0.0])
            entry[0] += quantity
            entry[1].add(row["Invoice"])
            entry[2] += quantity * price
        return {key: (units, len(invoices), value / units) for key, (units, invoices, value) in sums.items()}


def carton(size, units):
    """Sides of the squarest carton that holds the units in a grid."""
    best = None
    for a, b in itertools.product(range(1, units + 1), repeat=2):
        if units % (a * b):
            continue
        sides = sorted((a * size[0] + 10, b * size[1] + 10, units // (a * b) * size[2] + 10), reverse=True)
        if sides[0] <= CARTON_MAX_SIDE_MM and (best is None or sum(sides) < sum(best)):
            best = sides
    assert best, (size, units)
    return best



def flag(value):
    return "yes" if value else "no"


def main():
    goods = []
    for line in GOODS.strip().splitlines():
        code, kind, en, zh, size, net, units, cost = line.split("|")
        goods.append((code, kind, en, zh, [int(n) for n in size.split(",")], int(net), int(units), float(cost)))
    days = read_days(sys.argv[1], {g[0] for g in goods})

    raw = ["sku_index,date,qty,orders,price"]
    for index, good in enumerate(goods):
        mine = sorted((day, value) for (code, day), value in days.items() if code == good[0])
        assert mine, good
        raw += [f"{index},{day},{units},{orders},{price:.2f}" for day, (units, orders, price) in mine]
    with open(HERE / "orders.csv.gz", "wb") as out:
        with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
            packed.write(("\n".join(raw) + "\n").encode())

    items, codes = [], []
    for index, (code, kind, en, zh, size, net, units, cost) in enumerate(goods):
        name_zh, name_en, hs_cn, hs_gb, mat_zh, mat_en, use_zh, use_en = KINDS[kind]
        sku = f"{kind}-{code}"
        gross = net + max(3, round(net * 0.06))
        sides = carton(size, units)
        surface = 2 * (sides[0] * sides[1] + sides[0] * sides[2] + sides[1] * sides[2])
        carton_gross = units * gross + round(surface * 0.0006)
        density = carton_gross / 1000 / (math.prod(sides) / 1e9)
        assert carton_gross <= CARTON_MAX_G and 50 <= density <= 2000, (sku, carton_gross, density)
        declared = f"{cost * 1.3 / CNY_PER_GBP:.2f}"
        items.append([
            sku, zh, en, net, gross, *size, units, *sides, carton_gross, name_zh, name_en, hs_cn, hs_gb,
            mat_zh, mat_en, use_zh, use_en, "LANTING", f"LT-{code}", "CN", declared, "GBP", f"{cost:.2f}", "CNY",
            units, flag(kind == "LIT"), "no", "no", "no", f"https://www.amazon.co.uk/dp/{asin(index)}",
            ("林悦", "陈博", "王晴")[index % 3], "active", CATEGORY[kind],
            *customs(kind, code, en, net),
        ])
        if code not in MERCHANT_ONLY:
            codes += [["amazon-uk", "", "msku", f"{sku}-FBA", sku, 1],
                      ["amazon-uk", "", "fnsku", fnsku(index), sku, 1],
                      ["amazon-uk", "", "asin", asin(index), sku, 1]]
        if code not in FBA_ONLY:
            pack = 3 if code in TRIPLES else 1
            tail = "-3P" if pack == 3 else ""
            codes += [["amazon-uk", "", "msku", f"{sku}-FBM{tail}", sku, pack],
                      ["goodcang-uk", "", "warehouse_sku", f"LT{index + 1:03d}-{code}{tail}", sku, pack]]
    write("items.csv", "sku,name_zh,name_en,unit_net_g,unit_gross_g,unit_length_mm,unit_width_mm,unit_height_mm,"
          "carton_units,carton_length_mm,carton_width_mm,carton_height_mm,carton_gross_g,customs_name_zh,customs_name_en,"
          "hs_cn,hs_destination,material_zh,material_en,usage_zh,usage_en,brand,model,origin,declared_value,"
          "declared_currency,unit_cost,cost_currency,moq,battery,magnet,liquid,powder,sales_url,owner,status,category,"
          "declared_elements,unit_code,legal_unit,legal_factor,second_legal_unit,second_legal_factor,source_region,levy_mode,"
          "manufacturer,manufacturer_address,manufacturer_city", items)
    write("codes.csv", "system,store,kind,code,sku,multiple,valid_from,valid_to",
          [row + ["2024-01-01", ""] for row in codes])


ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def scramble(index, salt, length):
    value, out = (index + 1) * 2654435761 + salt * 40503, ""
    for _ in range(length):
        out += ALPHABET[value % len(ALPHABET)]
        value = value // len(ALPHABET) + index * 7919 + 1299721
    return out


def asin(index):
    return "B0" + scramble(index, 11, 8)


def fnsku(index):
    return "X00" + scramble(index, 29, 7)


def write(name, header, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
