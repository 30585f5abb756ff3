//! The seller of the world: a folder with a configuration that points at the simulated parties, secrets in files and
//! catalog tables, as somebody who starts with linkstar today would have it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Endpoints, OpeningFiles, WorldError, catalog_files};

/// Writes the folder and returns the configuration's path. Without a `store`, SQLite in the folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    home: &Path,
    endpoints: &Endpoints,
    opening: &OpeningFiles,
    store: Option<&str>,
) -> Result<PathBuf, WorldError> {
    for inner in ["catalog", "inbox", "data", "secrets"] {
        let folder = home.join(inner);
        fs::create_dir_all(&folder).map_err(WorldError::io(format!("make {}", folder.display())))?;
    }
    for (name, bytes) in catalog_files() {
        put(&home.join("catalog").join(name), bytes)?;
    }
    for (name, text) in [
        ("past_shipments.csv", &opening.past_shipments),
        ("open_shipments.csv", &opening.open_shipments),
    ] {
        put(&home.join("catalog").join(name), text.as_bytes())?;
    }
    for (name, secret) in [
        ("lwa_client_id", &endpoints.amazon_client_id),
        ("lwa_client_secret", &endpoints.amazon_client_secret),
        ("lwa_refresh_token", &endpoints.amazon_refresh_token),
        ("goodcang_key", &endpoints.goodcang_app_key),
        ("goodcang_token", &endpoints.goodcang_app_token),
        ("smtp_password", &endpoints.smtp_password),
    ] {
        put(&home.join("secrets").join(name), secret.as_bytes())?;
    }
    let path = home.join("linkstar.toml");
    put(&path, config(endpoints, store).as_bytes())?;
    Ok(path)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), WorldError> {
    fs::write(path, bytes).map_err(WorldError::io(format!("write {}", path.display())))
}

/// TOML's basic strings escape as JSON's do.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn config(world: &Endpoints, store: Option<&str>) -> String {
    let path = |path: &Path| quoted(&path.display().to_string());
    format!(
        r#"# The demo seller: everything outside is the simulated world on loopback.
version = 1

[account]
id = "main"
name = "澜亭家居 (demo)"
language = "zh-CN"
zone = "Asia/Shanghai"

[store]
url = {store}

[night]
at = "08:10"
mail_by = "09:00"

[plan]
review_days = 7
service_permille = 950

[order]
term = "DDP"
currency = "GBP"
rates = {{ CNY = "0.1098" }}

[order.shipper]
name = "Shenzhen Lanting Trading Co., Ltd."
name_zh = "深圳市澜亭贸易有限公司"
address = {{ lines = ["Room 1201, 8 Keyuan Road, Nanshan"], city = "Shenzhen", region = "Guangdong", postcode = "518057", country = "CN" }}
contact = "Lin Yue"
phone = "+86 755 0000 0000"
email = "ops@lanting.example"
uscc = "91440300MA5DEM012D"

[order.importer.GB]
name = "Lanting Home UK Ltd"
address = {{ lines = ["1 Dock Road"], city = "Manchester", postcode = "M1 1AA", country = "GB" }}
contact = "Amy Chen"
phone = "+44 161 000 0000"
email = "import@lanting.example"
eori = "GB980780684000"
vat = "GB980780684"

[order.export]
supervision_mode = "9810"
levy_nature = "101"
customs_office = "5316"
exit_office = "5316"
exit_port = "470201"
destination_port = "GBR033"
package_kind = "22"
contract_no = "LT-{{order}}"
freight = "860.00"
insurance = "35.00"
exporter_code = "4403160D1A"
typist_card = "8900000012345"
dxp_id = "DXPENT0000012345"
platform = "Amazon"
platform_code = "无"

[order.parties.declarant]
name = "Shenzhen Haiyun Customs Broker Co., Ltd."
name_zh = "深圳海韵报关有限公司"
address = {{ lines = ["2 Yantian Road"], city = "Shenzhen", region = "Guangdong", postcode = "518081", country = "CN" }}
contact = "Zhao Min"
uscc = "91440300MA5DA1B2CC"
local_id = "4403980012"

[mail]
host = {smtp_host}
port = {smtp_port}
tls = "starttls"
user = {smtp_user}
password = "${{file:secrets/smtp_password}}"
ca_file = {smtp_ca}
from = "linkstar <replenish@lanting.example>"

[[mail.recipients]]
address = "ops@lanting.example"
language = "zh-CN"

[[mail.recipients]]
address = "buyer@lanting.example"
language = "en"

[[connector]]
id = "amazon-uk"
uses = "amazon-sp-api"
params = {{ marketplace_id = {marketplace}, base_url = {amazon}, token_url = {token} }}
secrets = {{ client_id = "${{file:secrets/lwa_client_id}}", client_secret = "${{file:secrets/lwa_client_secret}}", refresh_token = "${{file:secrets/lwa_refresh_token}}" }}
warehouses = {{ Amazon = "amazon:GB", Merchant = "goodcang:UKMA" }}

[[connector]]
id = "goodcang-uk"
uses = "goodcang"
params = {{ base_url = {goodcang}, zone = "Europe/London" }}
secrets = {{ app_key = "${{file:secrets/goodcang_key}}", app_token = "${{file:secrets/goodcang_token}}" }}
warehouses = {{ {goodcang_warehouse} = "goodcang:UKMA" }}

[[forwarder]]
id = "huatuo"
name = "华拓国际物流"
documents = ["huatuo-booking-gb", "packing-list", "commercial-invoice", "carton-mark", "ubl-packing-list", "ubl-forwarding-instructions"]
[forwarder.sftp]
host = {sftp_host}
port = {sftp_port}
user = {sftp_user}
key_file = {sftp_key}
known_hosts = {sftp_known}
out_dir = "/in"
in_dir = "/out"
settle_seconds = 0
"#,
        store = quoted(store.unwrap_or("sqlite:data/linkstar.db")),
        smtp_host = quoted(&world.smtp_host),
        smtp_port = world.smtp_port,
        smtp_user = quoted(&world.smtp_user),
        smtp_ca = path(&world.smtp_ca_file),
        marketplace = quoted(&world.amazon_marketplace),
        amazon = quoted(&world.amazon_base),
        token = quoted(&world.amazon_token_url),
        goodcang = quoted(&world.goodcang_base),
        goodcang_warehouse = quoted(&world.goodcang_warehouse),
        sftp_host = quoted(&world.sftp_host),
        sftp_port = world.sftp_port,
        sftp_user = quoted(&world.sftp_user),
        sftp_key = path(&world.sftp_key_file),
        sftp_known = path(&world.sftp_known_hosts),
    )
}
