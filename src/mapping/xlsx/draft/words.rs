//! What forms of the trade call things, and which value of the model that is.

/// A value of the model and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guess {
    pub path: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Date,
    /// A number of a carton: on its first row only, or adding up would count it again.
    OfCarton,
    Picture,
}

impl Guess {
    /// Further keys of the mapping's line; a star on the paper means that the value is needed.
    pub(super) fn options(&self, title: &str) -> String {
        let mut options = match self.kind {
            Kind::Text => "",
            Kind::Number => ", type = \"number\"",
            Kind::Date => ", type = \"date\"",
            Kind::OfCarton => ", type = \"number\", when = \"{content.first}\"",
            Kind::Picture => ", picture = \"drawing\"",
        }
        .to_owned();
        if title.contains(['*', '＊']) {
            options.push_str(", required = true");
        }
        options
    }
}

type Words = &'static [(&'static str, &'static str, Kind)];

/// Titles of columns; the longest word that a title holds says what it is.
const ROW: Words = &[
    ("箱号", "{carton.mark}", Kind::Text),
    ("货箱编号", "{carton.mark}", Kind::Text),
    ("箱唛", "{carton.mark}", Kind::Text),
    ("cartonno", "{carton.mark}", Kind::Text),
    ("boxno", "{carton.mark}", Kind::Text),
    ("sku", "{content.goods.sku}", Kind::Text),
    ("货号", "{content.goods.sku}", Kind::Text),
    ("英文名", "{content.goods.customs_name_en}", Kind::Text),
    ("英文品名", "{content.goods.customs_name_en}", Kind::Text),
    ("description", "{content.goods.customs_name_en}", Kind::Text),
    ("中文名", "{content.goods.customs_name_zh}", Kind::Text),
    ("中文品名", "{content.goods.customs_name_zh}", Kind::Text),
    ("品名", "{content.goods.customs_name_zh}", Kind::Text),
    ("商品名称", "{content.goods.customs_name_zh}", Kind::Text),
    ("单价", "{content.unit_value}", Kind::Number),
    ("单个产品申报", "{content.unit_value}", Kind::Number),
    ("申报价值", "{content.unit_value}", Kind::Number),
    ("unitprice", "{content.unit_value}", Kind::Number),
    ("数量", "{content.units}", Kind::Number),
    ("quantity", "{content.units}", Kind::Number),
    ("qty", "{content.units}", Kind::Number),
    ("总价", "{content.value}", Kind::Number),
    ("总货值", "{content.value}", Kind::Number),
    ("总申报货值", "{content.value}", Kind::Number),
    ("申报总价值", "{content.value}", Kind::Number),
    ("金额", "{content.value}", Kind::Number),
    ("amount", "{content.value}", Kind::Number),
    ("材质", "{content.goods.material_zh}", Kind::Text),
    ("中文材质", "{content.goods.material_zh}", Kind::Text),
    ("英文材质", "{content.goods.material_en}", Kind::Text),
    ("material", "{content.goods.material_en}", Kind::Text),
    ("用途", "{content.goods.usage_zh}", Kind::Text),
    ("英文用途", "{content.goods.usage_en}", Kind::Text),
    ("usage", "{content.goods.usage_en}", Kind::Text),
    ("海关编码", "{content.goods.hs_destination}", Kind::Text),
    ("hscode", "{content.goods.hs_destination}", Kind::Text),
    ("商品编码", "{content.goods.hs_cn}", Kind::Text),
    ("品牌", "{content.goods.brand}", Kind::Text),
    ("brand", "{content.goods.brand}", Kind::Text),
    ("型号", "{content.goods.model}", Kind::Text),
    ("规格型号", "{content.goods.model}", Kind::Text),
    ("链接", "{content.goods.sales_url}", Kind::Text),
    ("图片", "{content.goods.customs.picture}", Kind::Picture),
    ("图片链接", "", Kind::Text),
    ("picture", "{content.goods.customs.picture}", Kind::Picture),
    ("asin", "{content.goods.asin}", Kind::Text),
    ("fnsku", "{content.goods.warehouse_sku}", Kind::Text),
    ("重量", "{carton.gross_g|kg}", Kind::OfCarton),
    ("毛重", "{carton.gross_g|kg}", Kind::OfCarton),
    ("grossweight", "{carton.gross_g|kg}", Kind::OfCarton),
    ("净重", "{carton.net_g|kg}", Kind::OfCarton),
    ("产品重量", "{content.goods.unit_net_kg}", Kind::Number),
    ("长度", "{carton.length_mm|cm}", Kind::OfCarton),
    ("长", "{carton.length_mm|cm}", Kind::OfCarton),
    ("宽度", "{carton.width_mm|cm}", Kind::OfCarton),
    ("宽", "{carton.width_mm|cm}", Kind::OfCarton),
    ("高度", "{carton.height_mm|cm}", Kind::OfCarton),
    ("高", "{carton.height_mm|cm}", Kind::OfCarton),
    ("带电", "{content.goods.battery|yes_no}", Kind::Text),
    ("带磁", "{content.goods.magnet|yes_no}", Kind::Text),
    ("液体", "{content.goods.liquid|yes_no}", Kind::Text),
    ("粉末", "{content.goods.powder|yes_no}", Kind::Text),
    ("原产", "{content.goods.origin}", Kind::Text),
    ("origin", "{content.goods.origin}", Kind::Text),
];

/// Labels of single values.
const HEAD: Words = &[
    ("服务", "{order.service}", Kind::Text),
    ("渠道", "{order.service}", Kind::Text),
    ("客户订单号", "{order.number}", Kind::Text),
    ("客户单号", "{order.number}", Kind::Text),
    ("订单号", "{order.number}", Kind::Text),
    ("ponumber", "{order.number}", Kind::Text),
    ("地址库编码", "{order.warehouse_code}", Kind::Text),
    ("仓库代码", "{order.warehouse_code}", Kind::Text),
    ("收件人", "{deliver_to.recipient}", Kind::Text),
    ("收件人姓名", "{deliver_to.recipient}", Kind::Text),
    ("收货人", "{deliver_to.recipient}", Kind::Text),
    ("收件人公司", "{deliver_to.name}", Kind::Text),
    ("地址", "{deliver_to.address.one_line}", Kind::Text),
    ("收件人地址", "{deliver_to.address.one_line}", Kind::Text),
    ("收件人地址一", "{deliver_to.address.line_1}", Kind::Text),
    ("收件人地址二", "{deliver_to.address.line_2}", Kind::Text),
    ("收件人地址三", "{deliver_to.address.line_3}", Kind::Text),
    ("地址一", "{deliver_to.address.line_1}", Kind::Text),
    ("地址二", "{deliver_to.address.line_2}", Kind::Text),
    ("地址三", "{deliver_to.address.line_3}", Kind::Text),
    ("城市", "{deliver_to.address.city}", Kind::Text),
    ("收件人城市", "{deliver_to.address.city}", Kind::Text),
    ("省份", "{deliver_to.address.region}", Kind::Text),
    ("收件人省份", "{deliver_to.address.region}", Kind::Text),
    ("邮编", "{deliver_to.address.postcode}", Kind::Text),
    ("收件人邮编", "{deliver_to.address.postcode}", Kind::Text),
    ("国家", "{deliver_to.address.country}", Kind::Text),
    ("收件人国家", "{deliver_to.address.country}", Kind::Text),
    ("电话", "{deliver_to.phone}", Kind::Text),
    ("收件人电话", "{deliver_to.phone}", Kind::Text),
    ("邮箱", "{deliver_to.email}", Kind::Text),
    ("收件人邮箱", "{deliver_to.email}", Kind::Text),
    ("referenceid", "{document.inbound_no}", Kind::Text),
    ("参考号", "{document.inbound_no}", Kind::Text),
    ("入库单", "{document.inbound_no}", Kind::Text),
    ("shipmentid", "{document.inbound_no}", Kind::Text),
    ("发票号", "{document.no}", Kind::Text),
    ("invoiceno", "{document.no}", Kind::Text),
    ("日期", "{document.issued_on}", Kind::Date),
    ("发货日期", "{order.ship_by}", Kind::Date),
    ("vat", "{importer.vat}", Kind::Text),
    ("eori", "{importer.eori}", Kind::Text),
    ("币种", "{order.currency}", Kind::Text),
    ("箱数", "{totals.cartons}", Kind::Number),
    ("货箱数量", "{totals.cartons}", Kind::Number),
    ("带电", "{order.battery|yes_no}", Kind::Text),
    ("带磁", "{order.magnet|yes_no}", Kind::Text),
    ("液体", "{order.liquid|yes_no}", Kind::Text),
    ("粉末", "{order.powder|yes_no}", Kind::Text),
    ("交货条款", "{order.term}", Kind::Text),
    ("贸易条款", "{order.term}", Kind::Text),
    ("发货人", "{shipper.name}", Kind::Text),
    ("起运港", "{order.port_of_loading}", Kind::Text),
    ("目的港", "{order.port_of_discharge}", Kind::Text),
    ("合同", "{export.contract_no}", Kind::Text),
];

pub(super) fn in_row(title: &str) -> Option<Guess> {
    longest(ROW, title)
}

pub(super) fn in_head(label: &str) -> Option<Guess> {
    longest(HEAD, label)
}

fn longest(words: Words, title: &str) -> Option<Guess> {
    let plain: String = title
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    // A sentence is an instruction, whatever words it holds.
    if plain.is_empty() || plain.chars().count() > 40 {
        return None;
    }
    let known = words.iter().filter(|(word, _, _)| plain.contains(word));
    known
        .max_by_key(|(word, _, _)| word.chars().count())
        .map(|(_, path, kind)| Guess { path, kind: *kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::model::shape;
    use crate::mapping::value::{Each, Maps, Scope, Template, scopes};

    #[test]
    fn every_guess_is_a_value_of_the_model() {
        let maps = Maps::new();
        let head = Scope::new(shape(), &maps);
        let each = ["carton in cartons", "content in carton.contents"];
        let each: Vec<Each> = each
            .iter()
            .map(|text| (*text).to_owned().try_into().unwrap())
            .collect();
        let row = scopes(&each, &head).unwrap().remove(0);
        for (words, scope) in [(HEAD, &head), (ROW, &row)] {
            for (word, path, _) in words {
                assert_eq!(Template::parse(path).unwrap().faults(scope), [], "{word}");
            }
        }
    }

    #[test]
    fn the_longest_word_wins_and_units_do_not_matter() {
        let path = |title: &str| in_row(title).map(|guess| guess.path);
        assert_eq!(path("产品FNSKU"), Some("{content.goods.warehouse_sku}"));
        assert_eq!(path("货箱重量(KG)"), Some("{carton.gross_g|kg}"));
        assert_eq!(path("产品英文品名*"), Some("{content.goods.customs_name_en}"));
        assert_eq!(path("HS Code"), Some("{content.goods.hs_destination}"));
        assert_eq!(path("颜色"), None);
        assert!(in_row("SKU*").unwrap().options("SKU*").contains("required"));
    }
}
